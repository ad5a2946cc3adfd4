import { startDumped } from "../stage/dumped.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

test("unix-socket-unwritable: the directory is immutable", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const { pid, images } = await startDumped(stage, "objects", ["dgram", join(dir, "a")]);
  rmSync(join(dir, "a"));
  const mark = async (word: string) =>
    expect((await run(stage, ["chattr", word, dir])).stderr).toBe("");
  await mark("+i");
  try {
    const named = await stageCheck({
      id: "unix-socket-unwritable",
      stage,
      images,
      pid,
      subject: dir,
      mend: "typed",
    });
    expect(named.remedy.command).toBe(`chattr -i ${dir}`);
  } finally {
    await run(stage, ["chattr", "-i", dir]);
  }
});

test("unix-socket-unwritable: the file system is read-only", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const { pid, images } = await startDumped(stage, "objects", ["dgram", join(dir, "a")]);
  rmSync(join(dir, "a"));
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  const named = await stageCheck({
    id: "unix-socket-unwritable",
    stage,
    images,
    pid,
    subject: dir,
    mend: "typed",
  });
  expect(named.criu_message).toContain("Read-only file system");
});
