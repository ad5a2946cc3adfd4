import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { dumpObjects } from "../objects.ts";
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";

test("fifo-missing", async () => {
  await using stage = openStage();
  const fifo = join(stage.dir, "fifo");
  const { pid, images } = await dumpObjects(stage, ["fifo", fifo]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  rmSync(fifo);
  const preflight = await report(stage, "preflight", images);
  const { command } = finding(preflight, "fifo-missing").remedy;
  expect(command).toBe(`mkfifo -m 0640 ${fifo}`);
  await stageCheck({ id: "fifo-missing", stage, images, pid, subject: fifo, mend: "typed" });
});
