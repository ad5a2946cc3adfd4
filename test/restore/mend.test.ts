/** What CRIU sets without looking and recriu sets again: on a process of the test's own, and on open files of this one. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProcessFiles } from "../../src/host/process-files.ts";
import type { Checkpoint } from "../../src/image/index.ts";
import { mend } from "../../src/restore/mend.ts";
import { mendFiles } from "../../src/restore/mend-files.ts";
import { call } from "../../src/sys/libc.ts";
import { watch } from "../../src/sys/open-files.ts";
import { getLimit } from "../../src/sys/process.ts";
import { scheduling } from "../../src/sys/scheduling.ts";
import type { LiveTask, LiveTree } from "../../src/verify/index.ts";

let child: Bun.Subprocess;
beforeEach(() => {
  child = Bun.spawn(["sleep", "60"], { stdin: "ignore" });
});
afterEach(async () => {
  child.kill("SIGKILL");
  await child.exited;
});

const NOFILE = 7;
const limitsOf = (pid: number) => {
  const rlimits = Array.from({ length: 16 }, (_, resource) => {
    const found = getLimit(pid, resource);
    if (typeof found === "number") throw new Error("no limit");
    return { cur: found.soft, max: found.hard };
  });
  return { rlimits };
};

/** What is said to be mended of the child, saved so. */
function mended(tc: object, thread_core: object = {}, state = "alive"): string[] {
  const core = { tc, thread_core };
  const task = { pid: 10, state, core, threads: [{ tid: 10, core }], fds: [] };
  const proc = new ProcessFiles(child.pid);
  const live = { task, pid: child.pid, proc, threads: new Map([[10, child.pid]]) };
  const tree = { tasks: new Map([[10, live as unknown as LiveTask]]) } as unknown as LiveTree;
  const found = mend({ openFiles: new Map(), ttys: [] } as unknown as Checkpoint, tree, 1, []);
  proc.close();
  return found.map((each) => `${each.class} ${each.facet}: ${each.expected}, ${each.found}`);
}

test("scheduling: what differs is set, and nothing is said of what does not", () => {
  expect(mended({}, { sched_policy: 0, sched_nice: 0 })).toEqual([]);
  expect(mended({}, { sched_policy: 3, sched_nice: 5 })).toEqual([
    "mended scheduling: policy, priority, nice of thread 10: 3, 0, 5, 0, 0, 0",
  ]);
  expect(scheduling(child.pid)).toEqual({ policy: 3, priority: 0, nice: 5 });
  for (const thread of [
    { sched_policy: 0, sched_nice: 5 },
    { sched_policy: 0, sched_nice: 7 },
  ])
    expect(mended({}, thread)).toHaveLength(1);
  expect(mended({}, { sched_policy: 0, sched_nice: 9 }, "dead")).toEqual([]);
  expect(scheduling(child.pid)).toMatchObject({ nice: 7 });
});

test("limits, soft and hard", () => {
  const { rlimits } = limitsOf(child.pid);
  expect(mended({ rlimits: { rlimits } })).toEqual([]);
  const { cur, max } = rlimits[NOFILE]!;
  const lower = { cur: 7n, max: max - 1n };
  const change = (now: object) => ({ rlimits: { rlimits: rlimits.with(NOFILE, now as never) } });
  expect(mended(change(lower))).toEqual([
    `mended limits: limit 7: 7 of ${max - 1n}, ${cur} of ${max}`,
  ]);
  expect(getLimit(child.pid, NOFILE)).toEqual({ soft: 7n, hard: max - 1n });
  expect(mended(change({ cur: 8n, max: max - 1n }))).toHaveLength(1);
  expect(mended(change({ cur: 8n, max: max - 2n }))).toHaveLength(1);
});

test("oom_score_adj", () => {
  const file = `/proc/${child.pid}/oom_score_adj`;
  const before = readFileSync(file, "utf8").trim();
  expect(mended({ oom_score_adj: Number(before) })).toEqual([]);
  expect(mended({ oom_score_adj: 500 })).toEqual([`mended process: oom_score_adj: 500, ${before}`]);
  expect(readFileSync(file, "utf8")).toBe("500\n");
});

/** What is said to be mended of open files of this process. */
function files(
  entries: Record<number, object>,
  fds: { fd: number; id: number }[],
  more: object = {},
): string[] {
  const proc = new ProcessFiles(process.pid);
  const live = { task: { pid: 10, fds }, pid: process.pid, proc };
  const checkpoint = {
    openFiles: new Map(Object.entries(entries).map(([id, entry]) => [Number(id), entry])),
    ttys: [],
    ...more,
  };
  const tree = { tasks: new Map([[10, live]]) } as unknown as LiveTree;
  const found = mendFiles(checkpoint as unknown as Checkpoint, tree);
  proc.close();
  return found.map((each) => each.expected);
}

const x64 = process.arch === "x64";
const make = (number: bigint, ...words: bigint[]) => {
  const [one = 0n, other = 0n] = words;
  const fd = call((c) => c.syscall(number, one, other, 0n, 0n, 0n, 0n));
  if (fd < 0) throw new Error(`system call ${number}: ${fd}`);
  return fd;
};
const CLOEXEC_NONBLOCK = 0x80800n;

test("the upper half of a counter, once, and not beyond what it holds", () => {
  const fd = make(x64 ? 290n : 19n, 5n, CLOEXEC_NONBLOCK);
  const count = () =>
    /^eventfd-count:\s*(\w+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))![1];
  const counter = (value: bigint) => ({ 7: { efd: { counter: value } } });
  const twice = [
    { fd, id: 7 },
    { fd, id: 7 },
  ];
  for (const other of [0x1_0000_0006n, 5n, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn])
    expect(files(counter(other), twice)).toEqual([]);
  expect(count()).toBe("5");
  expect(files(counter(0x1_0000_0005n), twice)).toEqual([
    `counter of descriptor ${fd}: ${0x1_0000_0005n}`,
  ]);
  expect(count()).toBe("100000005");
  closeSync(fd);
  // One more than it holds: to add that would wait for ever.
  const full = make(x64 ? 290n : 19n, 0xffff_ffffn, CLOEXEC_NONBLOCK);
  expect(files(counter(0xffff_ffff_ffff_ffffn), [{ fd: full, id: 7 }])).toEqual([]);
  closeSync(full);
});

test("flags of a watch: of the file that is watched, and of no other that is at its path by now", () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "recriu-mend-")));
  const path = join(dir, "file");
  writeFileSync(path, "");
  const fd = make(x64 ? 294n : 26n, CLOEXEC_NONBLOCK);
  const file = openSync(path, "r");
  const wd = watch(fd, file, 0x2);
  const masks = () => /mask:(\w+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))![1];
  const IN_ONESHOT = 0x80000000;
  const watches = (at: string | undefined, more: object = {}) =>
    files(
      { 7: { ify: { wd: [{ wd, mask: IN_ONESHOT | 0x2, f_handle: { path: at } }] } } },
      [{ fd, id: 7 }],
      more,
    );
  // Of a mount namespace of the tree's own a path leads elsewhere.
  const own = { root: { ids: { mnt_ns_id: 2 } }, inventory: { root_ids: { mnt_ns_id: 1 } } };
  expect(watches(path, own)).toEqual([]);
  expect(watches(undefined)).toEqual([]);
  expect(watches(join(dir, "nothing"))).toEqual([]);
  renameSync(path, join(dir, "moved"));
  writeFileSync(path, "");
  expect(watches(path)).toEqual([]);
  expect(masks()).toBe("2");
  renameSync(join(dir, "moved"), path);
  expect(watches(path)).toEqual([`mask of watch ${wd} of descriptor ${fd}: 0x80000002`]);
  expect(masks()).toBe("80000002");
  expect(watches(path)).toEqual([]);
  closeSync(file);
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

test("a mount that CRIU was shown writable, and that no task shows, does not pass for one that is read-only again", () => {
  const edit = { file: "mountpoints-6.img", entry: 0, field: "flags", from: 1, to: 0 };
  const values = () => [{ mnt_id: 7, flags: 1, mountpoint: "/data" }];
  const checkpoint = { openFiles: new Map(), ttys: [], values } as unknown as Checkpoint;
  const tree = { tasks: new Map() } as unknown as LiveTree;
  expect(() => mend(checkpoint, tree, 1, [edit])).toThrow(
    "a mount of mountpoints-6.img was read-only, and cannot be made that again",
  );
  expect(mend(checkpoint, tree, 1, [])).toEqual([]);
});
