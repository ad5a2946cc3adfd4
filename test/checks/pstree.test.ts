/** pstree.img as CRIU prepares it, on plain data. That CRIU does so is in test/restore/pids and sessions. */
import { expect, test } from "bun:test";
import { type TreeInput, prepareTree } from "../../src/checks/tree/pstree.ts";

const task = (pid: number, ppid: number, pgid: number, sid: number, ...threads: number[]) => ({
  pid,
  ppid,
  pgid,
  sid,
  threads: [pid, ...threads],
});

const tree = (pstree: TreeInput["pstree"], more: Partial<TreeInput> = {}) =>
  prepareTree({ pstree, deadProcesses: [], shellJob: false, session: 7, group: 7, ...more });

const helpers = (pstree: TreeInput["pstree"], more?: Partial<TreeInput>) => {
  const prepared = tree(pstree, more);
  return prepared.ok
    ? prepared.helpers.map(({ number, as }) => [number, as])
    : prepared.failure.criu_message;
};

test("a whole tree needs no helper", () => {
  expect(helpers([task(10, 0, 10, 10, 11), task(12, 10, 10, 10), task(13, 12, 13, 13)])).toEqual(
    [],
  );
});

test("dead leaders of groups and sessions, and dead processes, have helpers", () => {
  const pstree = [task(10, 0, 10, 10), task(12, 10, 20, 10), task(13, 10, 21, 21)];
  expect(helpers(pstree, { deadProcesses: [30, 12, 20] })).toEqual([
    [21, "session"],
    [20, "process group"],
    [30, "dead process of /proc"],
  ]);
});

test("a group that is CRIU's own has no helper", () => {
  expect(helpers([task(10, 0, 10, 10), task(12, 10, 7, 10)])).toEqual([]);
});

test("a number is picked above 300, in the first gap, one for each session", () => {
  const far = [task(10, 0, 10, 10), task(301, 10, 301, 301), task(303, 10, 303, 303)];
  const lost = [task(400, 10, 301, 301), task(401, 10, 303, 303), task(402, 10, 301, 301)];
  expect(helpers([...far, ...lost])).toEqual([
    [302, "member of a session"],
    [304, "member of a session"],
  ]);
});

test("a job joins CRIU's session and group", () => {
  const job = [task(10, 0, 10, 5), task(11, 10, 10, 5)];
  expect(helpers(job, { shellJob: true })).toEqual([]);
  // A child in the group of the session's leader needs that leader, which lives: its number is taken.
  const mixed = [...job, task(12, 10, 5, 5)];
  expect(helpers(mixed, { shellJob: true, session: 6, group: 7 })).toEqual([[6, "process group"]]);
  expect(helpers([...job, task(7, 10, 10, 5)], { shellJob: true })).toStartWith("Current sid 7");
  expect(
    helpers([task(10, 0, 9, 5), task(11, 10, 8, 5)], { shellJob: true, session: 6, group: 8 }),
  ).toStartWith("Current gid 8");
});

test("what cannot be is said in CRIU's words", () => {
  expect(helpers([task(10, 0, 10, 10), task(10, 10, 10, 10)])).toStartWith("BUG at");
  expect(helpers([task(10, 0, 10, 10, 11), task(12, 10, 11, 10)])).toStartWith("BUG at");
  expect(helpers([task(10, 9, 10, 10)])).toBe("Can't find a parent for 10");
  expect(helpers([])).toBeString();
  const deep = [task(10, 0, 10, 10), task(11, 10, 10, 10)];
  expect(helpers([...deep, task(12, 11, 10, 99)])).toBe("Can't find a session leader for 99");
  const two = [task(10, 0, 10, 10), task(11, 10, 11, 11), task(12, 11, 11, 12)];
  expect(
    helpers([...two, task(13, 12, 11, 11), task(14, 13, 11, 11), task(15, 12, 11, 10)]),
  ).toStartWith("Can't figure out which sid");
});

test("100 000 tasks in one line, or below one root, are no trouble", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => i + 10);
  expect(helpers(many.map((pid) => task(pid, pid === 10 ? 0 : pid - 1, 10, 10)))).toEqual([]);
  const wide = many.map((pid) => task(pid, pid === 10 ? 0 : 10, pid, pid === 10 ? 10 : 9));
  expect(helpers(wide)).toEqual([[9, "session"]]);
});
