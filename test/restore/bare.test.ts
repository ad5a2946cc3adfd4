/** The stage itself: what bare CRIU does with a checkpoint, without recriu. */
import { removeCgroup } from "./stage/cgroups.ts";
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  alive,
  descendants,
  killTree,
  makeDoomedCgroup,
  openStage,
  restoreBare,
  run,
  start,
  waitFor,
} from "./stage.ts";
import { dumpX11, echoes } from "./x11.ts";

test("bare CRIU restores the X server and its client, which go on", async () => {
  await using stage = openStage();
  const x11 = await dumpX11(stage);
  const { pid, tasks, images, progress } = x11;
  expect(tasks).toHaveLength(2);
  const before = echoes(x11);

  const { exit } = await restoreBare(stage, images);

  expect(exit).toBe(0);
  expect(tasks.filter(alive)).toEqual(tasks);
  await waitFor("the client to go on", () => echoes(x11) > before + 1);
  const numbers = readFileSync(progress, "utf8").trim().split("\n");
  expect(numbers).toEqual(numbers.map((_, i) => `echo ${i + 1}`));
  await killTree(stage, pid);
  expect(tasks.filter(alive)).toEqual([]);
});

test("without the socket's directory bare CRIU fails, with it the same images restore", async () => {
  await using stage = openStage();
  const { tasks, images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });

  const failed = await restoreBare(stage, images);

  expect(failed.exit).toBe(1);
  expect(failed.errors.join("\n")).toMatch(
    /unix: Can't bind id 0x[0-9a-f]+ ino \d+ addr \S+\/X7: No such file or directory/,
  );
  expect(tasks.filter(alive)).toEqual([]);

  mkdirSync(sockets, { mode: 0o1777 });
  const restored = await restoreBare(stage, images);
  expect(restored.exit).toBe(0);
  expect(tasks.filter(alive)).toEqual(tasks);
});

test("a cgroup that is gone is made again, unless its parent forbids: then only ignoring helps", async () => {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);
  if (!doomed) throw new Error("cgroup v2 is not mounted");
  const { cgroup, spoil } = doomed;
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "0"], {
    cgroups: [cgroup],
  });

  removeCgroup(cgroup);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(readFileSync(join(cgroup, "cgroup.procs"), "utf8")).toBe(`${pid}\n`);
  await killTree(stage, pid);

  spoil();
  const failed = await restoreBare(stage, images);
  expect(failed.exit).toBe(1);
  expect(failed.errors.join("\n")).toMatch(
    /cg: Can't move \d+ into \S+\/workload\/cgroup\.procs .*: Operation not supported/,
  );
  expect(alive(pid)).toBe(false);

  expect((await restoreBare(stage, images, ["--manage-cgroups=ignore"])).exit).toBe(0);
  expect(alive(pid)).toBe(true);
});

test("a taken pid makes bare CRIU fail", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["fifo", "99", "-5", "reset"]);
  const taker = await start(stage, "at-pid", [`${pid}`]);

  const failed = await restoreBare(stage, images);
  expect(failed.exit).toBe(1);
  expect(failed.errors.join("\n")).toContain(`Can't fork for ${pid}: File exists`);
  expect(alive(pid)).toBe(true);

  await killTree(stage, taker.pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});

test("a command whose time is over is killed with its children", async () => {
  await using stage = openStage();
  const { exit } = await run(stage, ["sh", "-c", "sleep 1000 & sleep 1000"], { timeout: 100 });
  expect(exit).toBeNull();
  expect(descendants(stage.supervisor.pid)).toEqual([]);
});

test("a closed stage leaves nothing behind", async () => {
  const stage = openStage();
  const { pid } = await start(stage, "tree", [stage.dir, "/etc/hostname", `${stage.dir}/log`, "3"]);
  const tasks = [pid, ...descendants(pid).map((task) => task.pid)];
  expect(tasks).toHaveLength(5);

  await stage[Symbol.asyncDispose]();

  expect(tasks.filter(alive)).toEqual([]);
  expect(existsSync(stage.dir)).toBe(false);
});
