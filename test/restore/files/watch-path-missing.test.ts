import { startDumped } from "../stage/dumped.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("watch-path-missing: a file is not put back as a directory", async () => {
  await using stage = openStage();
  const watched = join(stage.dir, "watched");
  writeFileSync(watched, "");
  const { images } = await startDumped(stage, "kernel", ["inotify", "1", watched]);
  rmSync(watched);
  const { remedy } = await stageCheck({ id: "watch-path-missing", stage, images, among: true });
  expect(remedy.command).toBeNull();
  expect(remedy.text).toContain("whether that was a directory or a file");
  writeFileSync(watched, "");
  await restored(stage, images);
});
