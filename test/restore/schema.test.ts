/** Real reports against docs/report.schema.json. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { killTree, openStage } from "./stage.ts";

const schema = JSON.parse(
  readFileSync(join(import.meta.dir, "../../docs/report.schema.json"), "utf8"),
);
const validate = new Ajv2020({ allErrors: true, strictTypes: false }).compile(schema);

function valid(document: Awaited<ReturnType<typeof report>>): void {
  const { stderr: _, ...printed } = document;
  validate(printed);
  expect(validate.errors ?? []).toEqual([]);
}

test("what preflight and restore print has the shape that is promised", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid, images } = await startDumped(stage, "x11-server", [
    sockets,
    join(stage.dir, "progress"),
  ]);
  rmSync(sockets, { recursive: true });
  valid(await report(stage, "preflight", images));
  const asked = await report(stage, "preflight", images, ["--effects", "--untrusted"]);
  valid(asked);
  expect(asked.effects?.length).toBeGreaterThan(5);
  const restored = await report(stage, "restore", images);
  valid(restored);
  expect(restored.verdict?.result).toBe("match");
  const blocked = await report(stage, "restore", images);
  valid(blocked);
  expect(blocked.plan.outcome).toBe("blocked");
  const failed = await report(stage, "restore", images, ["--ignore=all"]);
  valid(failed);
  expect(failed.failure).not.toBeNull();
  await killTree(stage, pid);
  edit(images, `core-${pid}.img`, ([core]) => (core.thread_core.sched_policy = 1));
  const edited = await report(stage, "preflight", images);
  valid(edited);
  expect(edited.plan.edits.length).toBe(1);
  valid(await report(stage, "preflight", stage.dir));
});
