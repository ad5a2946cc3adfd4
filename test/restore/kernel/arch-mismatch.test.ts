import { test } from "bun:test";
import { startDumped } from "../stage/dumped.ts";
import { changed } from "../kernel.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";

test("arch-mismatch, sigactions-count: images of another machine, or damaged", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["threads"]);
  const core = `core-${pid}.img`;
  const [mtype, subject] = process.arch === "x64" ? [3, "aarch64"] : [1, "x86_64"];
  const other = changed(stage, images, "other", core, ([entry]) => (entry.mtype = mtype));
  await stageCheck({ id: "arch-mismatch", stage, images: other, subject, among: true });
  const few = changed(stage, images, "few", core, ([entry]) => entry.tc.sigactions.pop());
  await stageCheck({ id: "sigactions-count", stage, images: few, among: true });
  await restored(stage, images);
});
