/** What a task has of its own: signals, timers, mappings, where its parts are, its name and places. */
import { expect, test } from "bun:test";
import { layout } from "../../src/verify/layout.ts";
import { mappings } from "../../src/verify/mappings.ts";
import { command, executable, rootDirectory, workingDirectory } from "../../src/verify/program.ts";
import { signals } from "../../src/verify/signals.ts";
import { timers } from "../../src/verify/timers.ts";
import { said, type Scene } from "./tree.ts";

const SIGHUP = 1;
const SIGUSR1 = 10;
const SIGCHLD = 17;
const SIGSTOP = 19;

const bit = (...numbers: number[]) => numbers.reduce((set, n) => set | (1n << BigInt(n - 1)), 0n);
const mask = (...numbers: number[]) =>
  bit(...numbers)
    .toString(16)
    .padStart(16, "0");
const queue = (...numbers: number[]) => ({
  signals: numbers.map((number) => ({ siginfo: Uint8Array.of(number) })),
});

const none = { SigIgn: mask(), SigCgt: mask(), ShdPnd: mask(), SigPnd: mask(), SigBlk: mask() };

/** Actions from SIGHUP on, but for SIGKILL and SIGSTOP. */
const actions = (...some: bigint[]) =>
  Array.from({ length: 62 }, (_, at) => ({ sigaction: some[at] ?? 0n }));

const signalled = (
  status: object,
  { tc = {}, thread = {}, runs = false }: { tc?: object; thread?: object; runs?: boolean } = {},
): string[] => {
  const core = {
    tc: { sigactions: actions(), signals_s: queue(), ...tc },
    thread_core: { signals_p: queue(), blk_sigset: 0n, ...thread },
  };
  return said(signals, {
    saved: [{ core }],
    now: { 10: { status: { ...none, ...status } } },
    runs,
  } as Scene);
};

test("signals: ignored, caught, blocked", () => {
  expect(signalled({})).toEqual([]);
  expect(signalled({ SigIgn: mask(SIGHUP) })).toEqual(["fatal ignored signals: 0x0, 0x1"]);
  expect(signalled({ SigCgt: mask(SIGUSR1) })).toEqual(["fatal caught signals: 0x0, 0x200"]);
  expect(signalled({ SigBlk: mask(SIGUSR1) })).toEqual([
    "fatal blocked signals of thread 10: 0x0, 0x200",
  ]);
  // The ninth action is SIGUSR1's, and the eighteenth SIGTSTP's: two signals have none.
  const handlers = actions(
    ...Array.from({ length: 18 }, (_, at) => (at === 8 ? 1n : at === 17 ? 4096n : 0n)),
  );
  expect(
    signalled({ SigIgn: mask(10), SigCgt: mask(20) }, { tc: { sigactions: handlers } }),
  ).toEqual([]);
  // A signal mask that old images have of the process.
  const old = { thread: { blk_sigset: undefined }, tc: { blk_sigset: 2n } };
  expect(signalled({}, old)).toEqual(["fatal blocked signals of thread 10: 0x2, 0x0"]);
});

test("signals: those that wait, of the process and of each thread", () => {
  const waits = { tc: { signals_s: queue(SIGUSR1) }, thread: { signals_p: queue(SIGHUP) } };
  const there = { ShdPnd: mask(SIGUSR1), SigPnd: mask(SIGHUP) };
  expect(signalled(there, waits)).toEqual([]);
  expect(signalled({}, waits)).toEqual([
    "fatal pending signals: 0x200, 0x0",
    "fatal pending signals of thread 10: 0x1, 0x0",
  ]);
  expect(signalled({}, { ...waits, runs: true })).toEqual([
    "changed pending signals: 0x200, 0x0",
    "changed pending signals of thread 10: 0x1, 0x0",
  ]);
  const more = { ...there, ShdPnd: mask(SIGUSR1, SIGHUP) };
  expect(signalled(more, waits)).toEqual([
    "tolerated pending signals that were not saved: none, SIGHUP",
  ]);
  expect(signalled(more, { ...waits, runs: true })[0]).toStartWith("changed pending");
  // These come by themselves, as do those of the task's timers.
  expect(signalled({ ShdPnd: mask(SIGCHLD, SIGSTOP) })).toEqual([]);
  const timed = { tc: { timers: { posix: [{ si_signo: SIGUSR1 }] } } };
  expect(signalled({ ShdPnd: mask(SIGUSR1) }, timed)).toEqual([]);
});

test("POSIX timers: number, clock, signal", () => {
  const saved = [
    { core: { tc: { timers: { posix: [{ it_id: 3, clock_id: 1, si_signo: 14 }] } } } },
  ];
  const timed = (text: string | undefined) =>
    said(timers, {
      saved,
      now: { 10: { files: text === undefined ? {} : { timers: text } } },
    } as Scene);
  const block = (id: number, signal: number, clock: number) =>
    `ID: ${id}\nsignal: ${signal}/0\nnotify: signal/pid.1\nClockID: ${clock}\n`;
  expect(timed(block(2, 9, 0) + block(3, 14, 1))).toEqual([]);
  expect(timed("")).toEqual(["fatal timer 3: clock 1, signal 14, undefined"]);
  expect(timed(block(3, 15, 1))).toEqual(["fatal timer 3: clock 1, signal 14, clock 1, signal 15"]);
  expect(timed(block(3, 14, 0))).toHaveLength(1);
  expect(timed(undefined)).toEqual(["left out: timers, of which this kernel does not tell"]);
});

const VMA_FILE = 0x40;
const VDSO = 1 << 3;
const MAP_SHARED = 1;
const MAP_LOCKED = 0x2000;
const MAP_HUGETLB = 0x40000;

const vma = (more: object) => ({
  start: 0x1000n,
  end: 0x3000n,
  prot: 3,
  flags: 2,
  status: 1,
  shmid: 0n,
  pgoff: 0n,
  ...more,
});

const mapped = (
  vmas: object[],
  maps: string,
  locked = 0,
  remapped = new Set<number>(),
): string[] => {
  const mm = { vmas };
  const openFiles = new Map([[7, { reg: { id: 7, name: "/lib/a b" } }]]);
  const now = { 10: { files: { maps }, status: { VmLck: `${locked} kB` } } };
  return said(mappings, {
    saved: [{ mm }],
    now,
    checkpoint: { openFiles, remapped },
  } as unknown as Scene);
};
const line = (range: string, how: string, offset = "00000000", name = "") =>
  `${range} ${how} ${offset} 00:00 1${name === "" ? "" : ` ${name}`}`;

test("mappings: addresses, protection, sharing, file and offset; and no others", () => {
  const saved = [vma({})];
  expect(mapped(saved, line("1000-3000", "rw-p"))).toEqual([]);
  expect(mapped(saved, "")).toEqual(["fatal mapping: 1000-3000 rw-p, undefined"]);
  for (const other of [
    line("1000-4000", "rw-p"),
    line("1000-3000", "r--p"),
    line("1000-3000", "rwxp"),
    line("1000-3000", "rw-s"),
  ])
    expect(mapped(saved, other)).toHaveLength(1);
  expect(mapped(saved, [line("1000-3000", "rw-p"), line("5000-6000", "rw-p")].join("\n"))).toEqual([
    "fatal a mapping that was not saved: none, 5000-6000 rw-p",
  ]);
  const code = [vma({ prot: 5 })];
  expect(mapped(code, line("1000-3000", "r-xp"))).toEqual([]);
  expect(mapped(code, line("1000-3000", "r--p"))).toHaveLength(1);
  // Neighbours of another protection are two.
  expect(
    mapped([vma({ end: 0x2000n }), vma({ start: 0x2000n, prot: 1 })], line("1000-3000", "rw-p")),
  ).toHaveLength(2);
  // The kernel merges and splits as it likes.
  expect(mapped(saved, [line("1000-2000", "rw-p"), line("2000-3000", "rw-p")].join("\n"))).toEqual(
    [],
  );

  const file = [vma({ status: VMA_FILE, shmid: 7n, pgoff: 0x2000n, flags: MAP_SHARED })];
  expect(mapped(file, line("1000-3000", "rw-s", "00002000", "/lib/a b"))).toEqual([]);
  expect(mapped(file, line("1000-3000", "rw-s", "00003000", "/lib/a b"))).toHaveLength(1);
  expect(mapped(file, line("1000-3000", "rw-s", "00002000", "/lib/a"))).toHaveLength(1);
  const split = [
    line("1000-2000", "rw-s", "00002000", "/lib/a b"),
    line("2000-3000", "rw-s", "00004000", "/lib/a b"),
  ];
  expect(mapped(file, split.join("\n"))).toHaveLength(2);
  // A deleted file has another name.
  expect(
    mapped(file, line("1000-3000", "rw-s", "00002000", "/lib/a b (deleted)"), 0, new Set([7])),
  ).toEqual([]);
});

test("mappings: the kernel's own are not compared, in the images or out of them", () => {
  const saved = [vma({}), vma({ start: 0x7000n, end: 0x8000n, status: VDSO })];
  const maps = [
    line("1000-3000", "rw-p"),
    line("7000-8000", "r-xp"),
    line("9000-a000", "r--p", "00000000", "[vvar]"),
  ];
  expect(mapped(saved, maps.join("\n"))).toEqual([]);
  // What only begins there is another mapping.
  expect(
    mapped(saved, [line("1000-3000", "rw-p"), line("7000-9000", "r-xp")].join("\n")),
  ).toHaveLength(1);
});

test("mappings: how much is locked", () => {
  const saved = [
    vma({ flags: MAP_LOCKED }),
    vma({ start: 0x9000n, end: 0xa000n, flags: MAP_LOCKED | MAP_HUGETLB }),
  ];
  const maps = [line("1000-3000", "rw-p"), line("9000-a000", "rw-p")].join("\n");
  expect(mapped(saved, maps, 8)).toEqual([]);
  expect(mapped(saved, maps, 0)).toEqual(["fatal memory that is locked: 8 kB, 0 kB"]);
});

test("layout: every part; of the root two tell another program", () => {
  const numbers = {
    26: "code",
    27: "end_code",
    28: "stack",
    45: "data",
    46: "end_data",
    47: "brk",
    48: "arg",
    49: "arg_end",
    50: "env",
    51: "env_end",
  };
  const names = [
    "mm_start_code",
    "mm_end_code",
    "mm_start_stack",
    "mm_start_data",
    "mm_end_data",
    "mm_start_brk",
    "mm_arg_start",
    "mm_arg_end",
    "mm_env_start",
    "mm_env_end",
  ];
  const mm = Object.fromEntries(names.map((name, at) => [name, BigInt(16 + at)]));
  const fields = Array.from({ length: 52 }, (_, at) => String(at + 1));
  for (const [at, field] of Object.keys(numbers).entries())
    fields[Number(field) - 1] = String(16 + at);
  fields[0] = "510";
  fields[1] = "(a) b)";
  const laid = (change: Record<number, string>, pid = 10, runs = false) => {
    const stat = fields.map((value, at) => change[at + 1] ?? value).join(" ");
    return said(layout, {
      saved: pid === 10 ? [{ mm }] : [{}, { pid, mm }],
      now: { [pid]: { stat } },
      runs,
    } as Scene);
  };
  expect(laid({})).toEqual([]);
  for (const [at, field] of Object.keys(numbers).entries())
    expect(laid({ [field]: "999" })).toEqual([
      `fatal ${names[at]}: 0x${(16 + at).toString(16)}, 0x3e7`,
    ]);
  expect(laid({ 26: "1" }, 10, true)[0]).toStartWith("fatal mm_start_code");
  expect(laid({ 28: "1" }, 10, true)[0]).toStartWith("fatal mm_start_stack");
  expect(laid({ 47: "1" }, 10, true)[0]).toStartWith("changed mm_start_brk");
  expect(laid({ 26: "1" }, 11, true)[0]).toStartWith("changed mm_start_code of 11");
});

test("the name of every thread; images of old CRIUs have the first one's of the process", () => {
  const saved = [
    {
      threads: [
        { tid: 10, core: { tc: { comm: "old" } } },
        { tid: 11, core: { thread_core: { comm: "new" } } },
      ],
    },
  ];
  const named = (comm: string, other: string, runs = false) =>
    said(command, {
      saved,
      now: {
        10: {
          pid: 510,
          comm,
          threads: [
            [10, 510],
            [11, 511],
          ],
          files: { "task/511/comm": `${other}\n` },
        },
      },
      runs,
    } as Scene);
  expect(named("old", "new")).toEqual([]);
  expect(named("x", "new")).toEqual(["fatal name of thread 10: old, x"]);
  expect(named("old", "x")).toEqual(["fatal name of thread 11: new, x"]);
  expect(named("old", "x", true)).toEqual(["changed name of thread 11: new, x"]);
});

test("executable, working directory, root: what changed is told, a root never is", () => {
  const openFiles = new Map(
    ["/bin/a", "/home", "/srv", "/", "/proc/1/"].map((name, at) => [
      at + 1,
      { reg: { id: at + 1, name } },
    ]),
  );
  const places = (
    links: Record<string, string>,
    { root = 3, cwd = 2, runs = false, remapped = [] as number[] } = {},
  ) =>
    [executable, workingDirectory, rootDirectory].flatMap((facet) =>
      said(facet, {
        saved: [{ mm: { exe_file_id: 1 }, fs: { cwd_id: cwd, root_id: root } }],
        now: { 10: { links } },
        checkpoint: { openFiles, remapped: new Set(remapped) },
        runs,
      } as unknown as Scene),
    );
  const there = { exe: "/bin/a", cwd: "/home", root: "/srv" };
  expect(places(there)).toEqual([]);
  const others = { exe: "/bin/b", cwd: "/", root: "/" };
  expect(places(others, { runs: true })).toEqual([
    "changed exe: /bin/a, /bin/b",
    "changed cwd: /home, /",
    "fatal root: /srv, /",
  ]);
  // The root of a mount namespace is "/" from here, whatever it was.
  expect(places({ ...there, root: "/elsewhere" }, { root: 4 })).toEqual([]);
  expect(places({ ...there, exe: "/bin/a (deleted)" }, { remapped: [1] })).toEqual([
    "left out: names of deleted files",
  ]);
  // A directory of /proc has a slash at its end in the images.
  expect(places({ ...there, cwd: "/proc/1" }, { cwd: 5 })).toEqual([]);
});
