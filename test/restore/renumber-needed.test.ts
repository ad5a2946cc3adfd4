/** Whether recriu has to move: which numbers of the images are its own, or come next. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Checkpoint } from "../../src/image/index.ts";
import { threadsOf } from "../../src/host/processes.ts";
import { neededMove } from "../../src/restore/renumber.ts";

/** Numbers that no task has or gets soon. */
const FREE = 7;
const task = (more: object = {}) => ({
  pid: FREE,
  sid: FREE,
  pgid: FREE,
  threads: [{ tid: FREE }],
  ...more,
});
const move = (...tasks: object[]) => neededMove({ tasks } as unknown as Checkpoint);
const next = () => Number(readFileSync("/proc/sys/kernel/ns_last_pid", "utf8"));
const own = () => threadsOf(process.pid).find((tid) => tid !== process.pid)!;

const child = Bun.spawn(["sleep", "60"], { stdin: "ignore" });
afterAll(() => child.kill("SIGKILL"));

test("numbers of nobody's", () => {
  expect(move(task())).toBeUndefined();
  // recriu's own pid stays, whatever is done.
  expect(move(task({ pid: process.pid, threads: [{ tid: process.pid }] }))).toBeUndefined();
});

test("a thread's of recriu: of a thread, a session, a group", () => {
  for (const more of [
    { threads: [{ tid: FREE }, { tid: own() }] },
    { sid: own() },
    { pgid: own() },
  ])
    expect(move(task(more))).toMatchObject({ again: true });
});

test("what recriu has started, and what comes next", () => {
  expect(move(task({ threads: [{ tid: child.pid }] }))).toMatchObject({ again: false });
  const soon = next() + 100;
  const found = move(task({ threads: [{ tid: soon }] }))!;
  expect(found.again).toBe(false);
  expect(found.start).toBeGreaterThan(soon);
  expect(move(task({ sid: next() + 100 }))).toBeDefined();
  expect(move(task({ pgid: next() + 100 }))).toBeDefined();
  expect(move(task({ threads: [{ tid: next() + 10_000 }] }))).toBeUndefined();
});

test("nothing in a pid namespace of the tree's own, nor where there is no room", () => {
  expect(move(task({ threads: [{ tid: own() }] }), task({ pid: 1 }))).toBeUndefined();
  const most = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"));
  const full = task({ threads: [{ tid: own() }, { tid: most - 10 }] });
  expect(move(full)).toBeUndefined();
});
