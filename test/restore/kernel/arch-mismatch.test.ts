import { startDumped } from "../stage/dumped.ts";
import { changed } from "../kernel.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";

test("arch-mismatch, sigactions-count: images of another machine, or damaged", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["threads"]);
  const core = `core-${pid}.img`;
  const arm = changed(stage, images, "arm", core, ([entry]) => (entry.mtype = 3));
  expect(await stageCheck({ id: "arch-mismatch", stage, images: arm, among: true })).toMatchObject({
    subject: "aarch64",
  });
  const few = changed(stage, images, "few", core, ([entry]) => entry.tc.sigactions.pop());
  await stageCheck({ id: "sigactions-count", stage, images: few, among: true });
  await restored(stage, images);
});
