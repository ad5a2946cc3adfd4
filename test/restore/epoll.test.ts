/** An epoll that parent and child have: CRIU looks up what it watches in the descriptors of the lower number. */
import { startDumped } from "./stage/dumped.ts";
import { report } from "./report.ts";
import { restored } from "./stage-check.ts";
import { killTree, openStage } from "./stage.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("the child has it too: nothing stands in the way", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "epoll", [join(stage.dir, "other"), "kept"]);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  await restored(stage, images);
  await killTree(stage, pid);
});
