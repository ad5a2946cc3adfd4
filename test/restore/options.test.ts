/** Options of CRIU that change how a restore begins, waits or ends: the gate works with each. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { report } from "./report.ts";
import {
  alive,
  criu,
  killTree,
  openStage,
  processOf,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
} from "./stage.ts";

async function dumpOne(stage: Stage) {
  return startDumped(stage, "sched", ["rr", "7", "0", "reset"]);
}

const verified = { exit: 0, verdict: { result: "match", differences: [] } };

test("--leave-stopped: verified, and stopped", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  expect(await report(stage, "restore", images, ["--leave-stopped"])).toMatchObject(verified);
  expect(processOf(pid)?.state).toBe("T");
});

test("--pidfile is where CRIU puts it, and one that exists is not overwritten", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  const pidfile = join(stage.dir, "pid");
  expect(await report(stage, "restore", images, ["--pidfile", pidfile])).toMatchObject(verified);
  expect(readFileSync(pidfile, "utf8").trim()).toBe(String(pid));
  await killTree(stage, pid);
  const again = await report(stage, "restore", images, ["--pidfile", pidfile]);
  expect(again.exit).not.toBe(0);
  expect(alive(pid)).toBe(false);
});

test("--restore-sibling: the tree is not CRIU's child, and verified all the same", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  expect(await report(stage, "restore", images, ["--restore-sibling"])).toMatchObject(verified);
  expect(alive(pid)).toBe(true);
});

test("--status-fd: CRIU writes to the descriptor that recriu was given", async () => {
  await using stage = openStage();
  const { images } = await dumpOne(stage);
  const status = join(stage.dir, "status");
  const words = `exec "$@" 7>'${status}'`;
  const done = await run(stage, [
    "sh",
    "-c",
    words,
    "sh",
    recriuBinary,
    "restore",
    "-d",
    "-D",
    images,
    `--criu=${criu}`,
    "--status-fd",
    "7",
  ]);
  expect(done.exit).toBe(0);
  const bare = join(stage.dir, "bare");
  const { exit } = await run(stage, [
    "sh",
    "-c",
    `exec "$@" 7>'${bare}'`,
    "sh",
    criu,
    "restore",
    "-d",
    "-D",
    images,
    "--status-fd",
    "7",
  ]);
  // The tree is there already: bare CRIU fails, and has written what it writes by then.
  expect(exit).toBe(1);
  expect(readFileSync(status)).toEqual(readFileSync(bare));
});

test("--exec-cmd: CRIU becomes the command, whose exit code is passed on", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  const file = join(stage.dir, "ran");
  const done = await recriu(stage, [
    "restore",
    "-D",
    images,
    "--exec-cmd",
    "--",
    "sh",
    "-c",
    `echo here >${file}; exit 7`,
  ]);
  expect(done.exit).toBe(7);
  expect(readFileSync(file, "utf8")).toBe("here\n");
  expect(done.stderr).toContain("verified");
  await killTree(stage, pid);
});

test("--shell-job: a tree that leads its own session is restored as ever", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  const restored = await report(stage, "restore", images, ["--shell-job"]);
  expect(restored.exit).toBe(0);
  expect(alive(pid)).toBe(true);
});

test("the log and the statistics are where CRIU puts them", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  expect(
    (await report(stage, "restore", images, ["-o", "restore.log", "-v4", "-W", stage.dir])).exit,
  ).toBe(0);
  expect(readFileSync(join(stage.dir, "restore.log"), "utf8")).toContain(
    "Running post-restore scripts",
  );
  expect(existsSync(join(stage.dir, "stats-restore"))).toBe(true);
  await killTree(stage, pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
