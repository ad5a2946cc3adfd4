/** Tasks and threads: what a tree that runs does by itself, and what was never so. */
import { expect, test } from "bun:test";
import { tasks, threads } from "../../src/verify/tasks.ts";
import { type Now, said, type Scene } from "./tree.ts";

/** /proc/PID/status of a task with these numbers: the parent as this machine has it. */
const ids = (ppid: number, group: number, session: number): NonNullable<Now["status"]> => ({
  PPid: String(ppid),
  NSpgid: `7000\t${group}`,
  NSsid: `7000\t${session}`,
});
const root = (more: Now = {}): Now => ({ pid: 510, status: ids(1, 10, 10), ...more });
const child = (more: Now = {}): Now => ({ pid: 511, status: ids(510, 10, 10), ...more });

/** The root 10, its child 11 and a zombie 12. */
const tree = (now: Scene["now"], more: Scene = {}): string[] =>
  said(tasks, {
    saved: [{}, { pid: 11 }, { pid: 12, state: "dead" }],
    now: {
      10: root(),
      11: child(),
      12: { pid: 512, state: "Z", status: ids(510, 10, 10) },
      ...now,
    },
    ...more,
  });

test("the saved tree", () => {
  expect(tree({})).toEqual([]);
  expect(tree({}, { runs: true })).toEqual([]);
});

test("a task that is gone, one that ended, one that came to life", () => {
  expect(tree({ 11: undefined })).toEqual(["fatal exists of 11: alive, undefined"]);
  expect(tree({ 11: undefined }, { runs: true })).toEqual([
    "changed exists of 11: alive, undefined",
  ]);
  expect(tree({ 11: child({ state: "Z" }) }, { runs: true })).toEqual([
    "changed exists of 11: alive, zombie",
  ]);
  const lives = { 12: { pid: 512, status: ids(510, 10, 10) } };
  expect(tree(lives, { runs: true })).toEqual(["fatal exists of 12: zombie, alive"]);
  // A zombie is gone as soon as its parent has waited for it.
  expect(tree({ 12: undefined }, { runs: true })).toEqual([
    "changed exists of 12: zombie, undefined",
  ]);
});

test("without its root there is no tree", () => {
  expect(tree({ 10: undefined, 11: child({ status: ids(1, 10, 10) }) }, { runs: true })).toEqual([
    "fatal exists: alive, undefined",
    "changed parent of 11: 10, undefined",
    "changed parent of 12: 10, undefined",
  ]);
});

test("a process that was not saved: since then in a tree that runs, never in one that waits", () => {
  const young = { strangers: [{ pid: 600, starttime: 100n }] };
  expect(tree({}, young)).toEqual(["fatal a process that was not saved: none, 600"]);
  expect(tree({}, { ...young, runs: true })).toEqual([
    "changed a process that was not saved: none, 600",
  ]);
  // Older than the youngest of the saved: it cannot be of this tree.
  const old = { strangers: [{ pid: 600, starttime: 119n }], runs: true };
  expect(tree({ 11: child({ starttime: 120 }) }, old)).toEqual([
    "fatal a process that was not saved: none, 600",
  ]);
});

test("another parent: only when the first has ended", () => {
  const other = { 11: child({ status: ids(1, 10, 10) }) };
  expect(tree(other, { runs: true })).toEqual(["fatal parent of 11: 10, undefined"]);
  const ended = { 10: root({ state: "Z" }), ...other };
  expect(tree(ended, { runs: true })).toContain("changed parent of 11: 10, undefined");
  expect(tree(ended)).toContain("fatal parent of 11: 10, undefined");
  // Nor one that the images know nothing of.
  const strange = [{}, { pid: 11, ppid: 77 }];
  expect(tree({}, { saved: strange, runs: true })).toEqual(["fatal parent of 11: 77, 10"]);
});

test("a child that the root had adopted may come back elsewhere", () => {
  const adopted = [{}, { pid: 11, ppid: 10, sid: 99 }];
  const now = { 11: child({ status: ids(1, 10, 99) }) };
  expect(tree(now, { saved: adopted })).toEqual(["tolerated parent of 11: 10, undefined"]);
});

test("sessions and groups: its own a task makes itself, another's never", () => {
  const elsewhere = { 11: child({ status: ids(510, 10, 77) }) };
  expect(tree(elsewhere)).toEqual(["fatal session of 11: 10, 77"]);
  expect(tree(elsewhere, { runs: true })).toEqual(["fatal session of 11: 10, 77"]);
  const own = { 11: child({ status: ids(510, 11, 11) }) };
  expect(tree(own)).toEqual(["fatal session of 11: 10, 11", "fatal process group of 11: 10, 11"]);
  expect(tree(own, { runs: true })).toEqual([
    "changed session of 11: 10, 11",
    "changed process group of 11: 10, 11",
  ]);
});

test("--shell-job: those of a root that led neither, and of whoever shared them", () => {
  const saved = [
    { sid: 5, pgid: 6 },
    { pid: 11, sid: 5, pgid: 6 },
    { pid: 12, sid: 12, pgid: 12 },
  ];
  const now = { 10: root(), 11: child(), 12: { pid: 512, status: ids(510, 10, 10) } };
  const job = { saved, now, words: ["--shell-job"] };
  expect(tree(now, job)).toEqual([
    "expected session: 5, 10",
    "expected process group: 6, 10",
    "expected session of 11: 5, 10",
    "expected process group of 11: 6, 10",
    "fatal session of 12: 12, 10",
    "fatal process group of 12: 12, 10",
  ]);
  expect(tree(now, { ...job, words: [] }).slice(0, 2)).toEqual([
    "fatal session: 5, 10",
    "fatal process group: 6, 10",
  ]);
  // A root that led its own is given them back.
  const leader = [{}, { pid: 11 }, { pid: 12, state: "dead" as const }];
  const moved = { 10: root({ status: ids(1, 77, 77) }) };
  expect(tree(moved, { saved: leader, words: ["--shell-job"] })).toEqual([
    "fatal session: 10, 77",
    "fatal process group: 10, 77",
  ]);
});

test("threads: each that was saved, and no other", () => {
  const two = [{ threads: [{ tid: 10 }, { tid: 13 }] }];
  const seen = (tids: number[], more: Now = {}, runs = false) =>
    said(threads, { saved: two, now: { 10: { threads: tids.map((t) => [t, t]), ...more } }, runs });
  expect(seen([10, 13])).toEqual([]);
  expect(seen([10])).toEqual(["fatal thread 13: exists, undefined"]);
  expect(seen([10, 13, 14])).toEqual(["fatal a thread that was not saved: none, 14"]);
  expect(seen([10], {}, true)).toEqual(["changed thread 13: exists, undefined"]);
  expect(seen([10], { state: "Z" })).toEqual([]);
  const dead = { saved: [{ state: "dead" as const, threads: [{ tid: 9 }] }], now: { 10: {} } };
  expect(said(threads, dead)).toEqual([]);
});
