/** Ordinary trees that bare CRIU restores, and that recriu must neither refuse nor end. */
import { expect, test } from "bun:test";
import { blockers, report } from "./report.ts";
import { dump, killTree, openStage, start } from "./stage.ts";

test("a task's own directory in /proc, open and worked in: a dump writes a slash behind it", async () => {
  await using stage = openStage();
  const objects = ["read", "/proc/self", "path", "/proc/self", "chdir", "/proc/self"];
  const { pid } = await start(stage, "objects", objects);
  const images = await dump(stage, pid);
  const done = await report(stage, "restore", images);
  expect([blockers(done), done.verdict?.differences, done.exit]).toEqual([[], [], 0]);
  await killTree(stage, pid);
});
