import { startDumped } from "../stage/dumped.ts";
import { withSetting } from "../kernel.ts";
import { report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

test("inotify-limit and watch-path-missing", async () => {
  await using stage = openStage();
  const watched = join(stage.dir, "watched");
  mkdirSync(watched);
  // IN_CREATE: of the entries of a directory.
  const { pid, images } = await startDumped(stage, "kernel", ["inotify", "3", watched, "100"]);
  for (const name of ["fs/inotify/max_user_instances", "fs/inotify/max_user_watches"]) {
    await withSetting(name, 2, async () => {
      const named = await stageCheck({ id: "inotify-limit", stage, images, among: true });
      expect(named.subject).toBe(name.replaceAll("/", "."));
      const told = await report(stage, "preflight", images);
      expect((await typed(stage, told, "inotify-limit")).exit).toBe(0);
      await restored(stage, images);
      await killTree(stage, pid);
    });
  }
  rmdirSync(watched);
  const gone = await stageCheck({ id: "watch-path-missing", stage, images, among: true });
  expect(gone).toMatchObject({ task: pid, subject: watched });
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "watch-path-missing")).exit).toBe(0);
  await restored(stage, images);
});
