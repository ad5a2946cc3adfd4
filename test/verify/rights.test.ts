/** What a task may do, and how it is treated: ids, capabilities, labels, limits, scheduling. */
import { expect, test } from "bun:test";
import { getLimit, setLimit } from "../../src/sys/process.ts";
import { credentials } from "../../src/verify/credentials.ts";
import { labels } from "../../src/verify/labels.ts";
import { limits, ownProcess, process as processFacet } from "../../src/verify/limits.ts";
import { sched } from "../../src/verify/sched.ts";
import { said, type Scene } from "./tree.ts";

const ROOTS_IDS = { inventory: { root_ids: { user_ns_id: 1 } } };
const SETGID = 1 << 6;
const SETUID = 1 << 7;

/** Of an ordinary user, who keeps two capabilities. */
const creds = {
  uid: 1,
  euid: 2,
  suid: 3,
  fsuid: 4,
  gid: 5,
  egid: 6,
  sgid: 7,
  fsgid: 8,
  groups: [30, 20],
  cap_inh: [0, 0],
  cap_prm: [0b110, 0],
  cap_eff: [0b010, 0],
  cap_bnd: [0xff, 0x1],
  no_new_privs: 0,
};
const same = {
  Uid: "1\t2\t3\t4",
  Gid: "5\t6\t7\t8",
  Groups: "20 30 ",
  CapInh: "0000000000000000",
  CapPrm: "0000000000000006",
  CapEff: "0000000000000002",
  CapBnd: "00000001000000ff",
  NoNewPrivs: "0",
  Seccomp: "0",
};

const rights = (status: object, more: object = {}, runs = false, mode = 0): string[] => {
  const thread_core = { creds: { ...creds, ...more }, seccomp_mode: mode };
  const saved = [{ ids: { user_ns_id: 1 }, core: { thread_core } }];
  const now = { 10: { status: { ...same, ...status } } };
  return said(credentials, { saved, now, runs, checkpoint: ROOTS_IDS } as Scene);
};

test("the saved credentials", () => {
  expect(rights({})).toEqual([]);
  expect(rights({}, {}, true)).toEqual([]);
});

test("each of the ids, and the groups in any order: of a tree that waits fatal", () => {
  for (const [name, what] of [
    ["Uid", "user ids"],
    ["Gid", "group ids"],
  ] as const)
    for (const at of [0, 1, 2, 3]) {
      const ids = same[name].split("\t");
      ids[at] = "9";
      expect(rights({ [name]: ids.join("\t") })).toEqual([
        `fatal ${what} of thread 10: ${same[name].replaceAll("\t", " ")}, ${ids.join(" ")}`,
      ]);
    }
  expect(rights({ Groups: "20 " })).toEqual(["fatal groups of thread 10: 20 30, 20"]);
  expect(rights({ Groups: "20 30 31 " })).toEqual(["fatal groups of thread 10: 20 30, 20 30 31"]);
});

test("of a tree that runs other ids are its own doing only where it could", () => {
  const other = { Uid: "9\t2\t3\t4", Gid: "9\t6\t7\t8", Groups: "" };
  const grades = (cap_prm: number) =>
    rights(other, { cap_prm: [cap_prm, 0], cap_eff: [0, 0] }, true)
      .filter((line) => !line.includes("Cap"))
      .map((line) => line.split(" of ")[0]!);
  expect(grades(0)).toEqual(["fatal user ids", "fatal group ids", "fatal groups"]);
  expect(grades(SETUID)).toEqual(["changed user ids", "fatal group ids", "fatal groups"]);
  expect(grades(SETGID)).toEqual(["fatal user ids", "changed group ids", "changed groups"]);
});

test("each set of capabilities, both words of it", () => {
  const sets = { CapInh: 0n, CapPrm: 6n, CapEff: 2n, CapBnd: 0x1000000ffn };
  for (const [name, before] of Object.entries(sets))
    for (const bit of [1n << 5n, 1n << 33n]) {
      const found = before ^ bit;
      const line = `fatal ${name} of thread 10: 0x${before.toString(16)}, 0x${found.toString(16)}`;
      expect(rights({ [name]: found.toString(16).padStart(16, "0") })).toEqual([line]);
    }
  // What this kernel does not know it cannot show.
  expect(rights({}, { cap_bnd: [0xff, 0x80000001] })).toEqual([]);
});

test("of a tree that runs: given up is changed, more than it had is not", () => {
  const now = (status: object) => rights(status, {}, true).map((line) => line.split(" of ")[0]);
  expect(now({ CapPrm: "2", CapEff: "0", CapBnd: "ff" })).toEqual([
    "changed CapPrm",
    "changed CapEff",
    "changed CapBnd",
  ]);
  // Effective and inherited go up within what is permitted; the bounding set never does.
  expect(now({ CapEff: "6", CapInh: "4" })).toEqual(["changed CapInh", "changed CapEff"]);
  expect(now({ CapPrm: "7", CapEff: "3", CapInh: "1", CapBnd: "1000001ff" })).toEqual([
    "fatal CapInh",
    "fatal CapPrm",
    "fatal CapEff",
    "fatal CapBnd",
  ]);
  const outside = { cap_prm: [0x100, 0], cap_eff: [0, 0], cap_bnd: [0xff, 0] };
  expect(
    rights({ CapPrm: "100", CapEff: "0", CapBnd: "1ff" }, outside, true).map(
      (line) => line.split(" of ")[0],
    ),
  ).toEqual(["fatal CapBnd"]);
});

test("no_new_privs and seccomp: taken on is changed, thrown off is not", () => {
  expect(rights({ NoNewPrivs: "1" })).toEqual(["fatal no_new_privs of thread 10: 0, 1"]);
  expect(rights({ NoNewPrivs: "1" }, {}, true)).toEqual([
    "changed no_new_privs of thread 10: 0, 1",
  ]);
  const had = { no_new_privs: 1 };
  expect(rights({}, had)).toEqual(["fatal no_new_privs of thread 10: 1, 0"]);
  expect(rights({}, had, true)).toEqual(["fatal no_new_privs of thread 10: 1, 0"]);
  expect(rights({ NoNewPrivs: undefined }, had, true)).toEqual([
    "fatal no_new_privs of thread 10: 1, undefined",
  ]);
  expect(rights({}, { no_new_privs: undefined })).toEqual([]);
  expect(rights({ Seccomp: "2" })).toEqual(["fatal seccomp mode of thread 10: 0, 2"]);
  expect(rights({ Seccomp: "2" }, {}, true)).toEqual(["changed seccomp mode of thread 10: 0, 2"]);
  expect(rights({}, {}, true, 2)).toEqual(["fatal seccomp mode of thread 10: 2, 0"]);
});

test("ids in another user namespace are not compared by number; all else is", () => {
  const thread_core = { creds: { ...creds, no_new_privs: 1 } };
  const saved = [{ ids: { user_ns_id: 2 }, core: { thread_core } }];
  const now = { 10: { status: { ...same, Uid: "9\t9\t9\t9", CapEff: "0" } } };
  expect(said(credentials, { saved, now, checkpoint: ROOTS_IDS } as Scene)).toEqual([
    "left out: ids in another user namespace",
    "fatal CapEff of thread 10: 0x2, 0x0",
    "fatal no_new_privs of thread 10: 1, 0",
  ]);
});

test("every thread has its own", () => {
  const saved = [
    {
      ids: { user_ns_id: 1 },
      threads: [{ tid: 10 }, { tid: 11, core: { thread_core: { creds } } }],
    },
  ];
  const now = { 10: { status: { ...same, CapEff: "0" } } };
  expect(said(credentials, { saved, now, checkpoint: ROOTS_IDS } as Scene)).toEqual([
    "fatal CapEff of thread 11: 0x2, 0x0",
  ]);
});

test("labels, but where another is asked for", () => {
  const saved = [{ core: { thread_core: { creds: { lsm_profile: "confined" } } } }];
  const label = (text: string | undefined, words: string[] = []) =>
    said(labels, {
      saved,
      now: { 10: { files: text === undefined ? {} : { "task/10/attr/current": text } } },
      words,
      runs: true,
    } as Scene);
  expect(label("confined (enforce)\n")).toEqual([]);
  expect(label("unconfined\n")).toEqual(["fatal label of thread 10: confined, unconfined"]);
  expect(label(undefined)).toEqual(["fatal label of thread 10: confined, undefined"]);
  expect(label("unconfined\n", ["--lsm-profile=apparmor:other"])).toEqual([
    "left out: labels, as --lsm-profile asks for another",
  ]);
});

const NOFILE = 7;

test("limits, soft and hard: lowered by the program is changed, raised never", () => {
  const found = getLimit(0, NOFILE);
  if (typeof found === "number") throw new Error("no limit");
  // Below the hard limit of this process, which could not get it back.
  setLimit(0, NOFILE, found.hard - 1n, found.hard);
  try {
    const limited = (cur: bigint, max: bigint, runs = false) => {
      const rlimits = Array.from({ length: NOFILE }, () => undefined as never);
      const list = [...rlimits.map((_, at) => live(at)), { cur, max }];
      const saved = [{ core: { tc: { rlimits: { rlimits: list } } } }];
      return said(limits, { saved, runs } as Scene);
    };
    const { hard } = found;
    const soft = hard - 1n;
    expect(limited(soft, hard)).toEqual([]);
    expect(limited(hard, hard)).toEqual([
      `fatal RLIMIT_NOFILE: ${hard} of ${hard}, ${soft} of ${hard}`,
    ]);
    expect(limited(soft, hard + 1n)).toHaveLength(1);
    expect(limited(hard, hard, true)[0]).toStartWith("changed RLIMIT_NOFILE");
    expect(limited(soft - 1n, hard - 1n, true)[0]).toStartWith("fatal RLIMIT_NOFILE");
  } finally {
    setLimit(0, NOFILE, found.soft, found.hard);
  }
});

function live(resource: number): { cur: bigint; max: bigint } {
  const found = getLimit(0, resource);
  if (typeof found === "number") throw new Error("no limit");
  return { cur: found.soft, max: found.hard };
}

test("scheduling of every thread: policy with its flag, priority, nice", () => {
  const of = (policy: number, nice: number, prio?: number, lostPriority?: number) => {
    const thread_core = { sched_policy: policy, sched_nice: nice, sched_prio: prio };
    const saved = [{ core: { thread_core } }];
    const now = { 10: { threads: [[10, process.pid]] as const } };
    return said(sched, {
      saved,
      now,
      runs: true,
      ...(lostPriority === undefined ? {} : { lostPriority }),
    } as Scene);
  };
  expect(of(0, 0)).toEqual([]);
  expect(of(3, 0)).toEqual(["fatal policy of thread 10: SCHED_BATCH, SCHED_OTHER"]);
  expect(of(0x40000000, 0)).toEqual([
    "fatal policy of thread 10: SCHED_OTHER|SCHED_RESET_ON_FORK, SCHED_OTHER",
  ]);
  expect(of(0, 5)).toEqual(["fatal nice of thread 10: 5, 0"]);
  expect(of(1, 0, 4)).toEqual([
    "fatal policy of thread 10: SCHED_FIFO, SCHED_OTHER",
    "fatal priority of thread 10: 4, 0",
  ]);
  // A lost priority against the chosen one; where none was chosen any will do.
  expect(of(1, 0, 0, 7)).toContain("fatal priority of thread 10: 7, 0");
  expect(of(1, 0, 0)).toEqual(["fatal policy of thread 10: SCHED_FIFO, SCHED_OTHER"]);
  // No image has the parameters of SCHED_DEADLINE.
  expect(of(6, 0)).toEqual(["expected policy of thread 10: SCHED_DEADLINE, SCHED_OTHER"]);
});

test("oom_score_adj, dumpable, personality, umask", () => {
  const checkpoint = ROOTS_IDS;
  const ids = { user_ns_id: 1 };
  const adjusted = (saved: number | undefined, found: string) =>
    said(processFacet, {
      saved: [{ ids, core: { tc: { oom_score_adj: saved } } }],
      now: { 10: { files: { oom_score_adj: `${found}\n` } } },
      checkpoint,
    } as Scene);
  expect(adjusted(500, "500")).toEqual([]);
  expect(adjusted(500, "0")).toEqual(["fatal oom_score_adj: 500, 0"]);
  expect(adjusted(0, "500")).toEqual(["tolerated oom_score_adj: 0, 500"]);
  expect(adjusted(undefined, "500")).toEqual([]);

  // What is in /proc belongs to root here: to the user it would, were the task dumpable.
  const dumpable = (value: number, euid: number, user = 1) =>
    said(processFacet, {
      saved: [
        {
          ids: { user_ns_id: user },
          mm: { dumpable: value },
          core: { thread_core: { creds: { euid } } },
        },
      ],
      checkpoint,
    } as Scene);
  expect(dumpable(1, 12)).toEqual(["fatal dumpable: yes, no"]);
  expect(dumpable(2, 12)).toEqual([]);
  expect(dumpable(1, 0)).toEqual([]);
  expect(dumpable(1, 12, 2)).toEqual([]);

  const own = (files: Record<string, string>, status: Record<string, string>, state = "alive") =>
    said(ownProcess, {
      saved: [{ state, core: { tc: { personality: 0x40000 } }, fs: { umask: 0o22 } }],
      now: { 10: { files, status } },
      runs: true,
    } as Scene);
  expect(own({ personality: "00040000\n" }, { Umask: "0022" })).toEqual([]);
  expect(own({ personality: "00000000\n" }, { Umask: "0077" })).toEqual([
    "changed personality: 262144, 0",
    "changed umask: 0022, 0077",
  ]);
  expect(own({}, {}, "dead")).toEqual([]);
});
