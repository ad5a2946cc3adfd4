import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../built.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { killTree, openStage, run } from "../stage.ts";
import { typed } from "../typed.ts";

/** 4.2 or newer, which knows the option. No task here has a probe: the inventory is made to say that it was dumped with it. */
const newer = join(repository, ".cache/criu/forky/criu");

test("allow-uprobes-needed: CRIU 4.2 wants the option of the dump again, and recriu gives it", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  edit(images, "inventory.img", ([inventory]) => {
    inventory.allow_uprobes = true;
  });
  const options = [`--criu=${newer}`];
  const told = await report(stage, "preflight", images, options);
  const { criu_message, remedy } = finding(told, "allow-uprobes-needed");
  expect(remedy.command).toBe("--allow-uprobes");
  expect(told).toMatchObject({ exit: 0, plan: { options: ["--allow-uprobes"] } });
  const words = ["restore", "-d", "-D", images, "-W", stage.dir, "-o", "bare.log"];
  expect((await run(stage, [newer, ...words])).exit).toBe(1);
  expect(readFileSync(join(stage.dir, "bare.log"), "utf8")).toContain(criu_message!);
  expect((await typed(stage, told, "allow-uprobes-needed", { options })).exit).toBe(0);
  await killTree(stage, pid);
  const restored = await report(stage, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
});
