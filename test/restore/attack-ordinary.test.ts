/** Ordinary trees that bare CRIU restores, and that recriu must neither refuse nor end. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { edit } from "./edit.ts";
import { blockers, report } from "./report.ts";
import { killTree, openStage } from "./stage.ts";

test("a task's own directory in /proc, open and worked in: a dump writes a slash behind it", async () => {
  await using stage = openStage();
  const objects = ["read", "/proc/self", "path", "/proc/self", "chdir", "/proc/self"];
  const { pid, images } = await startDumped(stage, "objects", objects);
  // What a dump finds in its memory behind the slash comes along: with a short number there was something, which no restore opens.
  edit(images, "files.img", (entries) => {
    const own = entries.filter(({ reg }) => reg?.name.startsWith(`/proc/${pid}/`));
    expect(own.length).toBeGreaterThan(0);
    for (const { reg } of own) reg.name = `/proc/${pid}/`;
  });
  const done = await report(stage, "restore", images);
  expect([blockers(done), done.verdict?.differences, done.exit]).toEqual([[], [], 0]);
  await killTree(stage, pid);
});
