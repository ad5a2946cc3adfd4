import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

test("tcp-close-needed", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, undefined, undefined, { dump: ["--tcp-close"] });
  const named = await stageCheck({ id: "tcp-close-needed", stage, images });
  expect(named.remedy.text).toContain("closed connections");
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "tcp-close-needed")).exit).toBe(0);
  await killTree(stage, pid);
  await restores(stage, images, { options: ["--tcp-close"] });
});
