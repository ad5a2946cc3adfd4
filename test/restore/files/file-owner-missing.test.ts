import { startDumped } from "../stage/dumped.ts";
import { changed } from "../kernel.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";

test("file-owner-missing: an owner outside the tree that is gone", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "kernel", ["owner"]);
  const gone = changed(stage, images, "gone", "files.img", (files) => {
    for (const { usk } of files) if (usk?.fown.pid) usk.fown.pid = 4_190_000;
  });
  const named = await stageCheck({ id: "file-owner-missing", stage, images: gone, among: true });
  expect(named.message).toContain("4190000");
  await restored(stage, images);
});
