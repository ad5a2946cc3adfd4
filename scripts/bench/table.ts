/** Rows to Markdown, and to the change since other rows. */
import type { Row, Spread } from "./measure.ts";
import type { EngineRow } from "./engine.ts";
import type { GrownRow } from "./grown.ts";
import type { IsolatedRow } from "./isolated.ts";
import type { RuntimeRow } from "./runtimes.ts";
import type { SealedRow } from "./sealed.ts";
import type { Part } from "./timeline.ts";

/** The program whose restore ends before its first line. */
export const LOADED = "the code of a restore is loaded";
export const LOADED_AS_CRIU = "the same, as criu";

export interface Start {
  name: string;
  bare: Spread;
  recriu: Spread;
}

export interface Results {
  version: string;
  criu: string;
  machine: string;
  date: string;
  runs: number;
  rows: Row[];
  isolated: IsolatedRow[];
  timeline: Part[];
  engine: EngineRow[];
  runtimes: RuntimeRow[];
  grown: GrownRow[];
  sealed: SealedRow[];
  /** The load average when it ended: its own is about 1. */
  busy: number;
  starts: Start[];
  /** MiB, of that program. */
  loadedPeak: number;
}

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const show = ({ median, low, high }: Spread, text = ms): string =>
  `${text(median)} (${text(low)}–${text(high)})`;
const two = (value: number): string => value.toFixed(2);

const table = (head: string[], lines: string[][]): string =>
  [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

export function markdown(results: Results): string {
  const { version, criu, machine, date, runs, rows, isolated, timeline, engine } = results;
  const { runtimes, grown, sealed, busy, starts } = results;
  const start = (wanted: string) =>
    starts.find(({ name }) => name === wanted)?.recriu.median ?? NaN;
  const least = ({ scripted, reading, kernel }: Row, loaded = start(LOADED)) =>
    scripted.more.median + loaded + reading.median + kernel.median;
  return `# Benchmarks

Made by \`npm run bench\` on ${date}: recriu ${version}, CRIU ${criu}, ${machine}. Times are wall time in
milliseconds, the median of ${runs} runs, with the middle half in brackets; recriu and bare CRIU took turns, so
compare within a row, not with other machines. A run that fails stops the bench: no figure is from one. /run is a tmpfs, where
CRIU keeps what it knows of the kernel, but in the row that says otherwise. The load average at the end was ${busy.toFixed(1)}.

## restore

\`recriu restore\` with everything on (preflight, gate, full verification) to \`criu restore\` of the same images
with the same options. *ratio* and *more* are of the turns. *least* is what there would be more if recriu's own code took no time at all: Bun starts and
has loaded it (*start*, below), a C program asks the kernel for the images and for what a verification needs (*reading* and *kernel*, below), and CRIU
has an action script that does nothing (*with a script*). *peak* is recriu's memory, the highest of three runs; *its own* is what of that no file
has: the rest is mostly the program's, which all that run it have in common.

${table(
  [
    "checkpoint",
    "tasks",
    "images",
    "criu",
    "with a script",
    "recriu",
    "ratio",
    "more",
    "least: ratio",
    "more",
    "peak MiB",
    "its own",
  ],
  rows.map((row) => [
    row.name,
    String(row.tasks),
    String(row.images),
    show(row.bare),
    ms(row.scripted.all.median),
    show(row.recriu),
    show(row.ratio, two),
    show(row.more),
    two(1 + least(row) / row.bare.median),
    ms(least(row)),
    row.peak.toFixed(0),
    row.own.toFixed(0),
  ]),
)}

What recriu adds grows in line with tasks, descriptors and mappings (the rows that double): for a small tree it is its
own start and the checks, for a large one reading images before CRIU starts and comparing every task, half of it
while CRIU works on, half while the tree is stopped. Memory contents are not read without \`--verify=memory\`, so they
cost nothing.

*as criu* is \`criu restore\` where recriu has that name: CRIU's process is the caller's child, and a watcher beside it does
the rest. *processor* is the time of both processors that the command and all that it waited for took; *on one* is
wall time with one processor for everything.

${table(
  [
    "checkpoint",
    "as criu",
    "ratio",
    "more",
    "least: more",
    "processor: criu",
    "recriu",
    "on one: criu",
    "recriu",
    "ratio",
  ],
  rows.map((row) => [
    row.name,
    show(row.asCriu.all),
    show(row.asCriu.ratio, two),
    show(row.asCriu.more),
    ms(least(row, start(LOADED_AS_CRIU))),
    ms(row.cpu.bare.median),
    ms(row.cpu.recriu.median),
    show(row.oneCore.bare),
    show(row.oneCore.recriu),
    show(row.oneCore.ratio, two),
  ]),
)}

Where the time of the smallest restore goes, as strace(1) sees it at a few system calls. It stops all of recriu's threads there, so that
these parts take ${ms(timeline.reduce((sum, { restore }) => sum + restore.median, 0))} ms together in the place of what the first table has: they are to be compared with each other. CRIU is not traced.

${table(
  ["1 task", "recriu restore", "as criu"],
  timeline.map(({ what, restore, asCriu }) => [what, show(restore), show(asCriu)]),
)}

\`recriu restore --isolate=pid,mount\` to \`recriu restore\`, by turns.

${table(
  ["checkpoint", "recriu", "isolated", "more"],
  isolated.map((row) => [row.name, show(row.without), show(row.with), show(row.more)]),
)}

A container of one task, restored by its runtime: alone, with recriu as the criu that it finds, with recriu in its place.

${table(
  ["runtime", "alone", "recriu as criu", "in its place"],
  runtimes.map((row) => [row.name, show(row.alone), show(row.withCriu), show(row.guarded)]),
)}

## alone

*preflight* and *verify* are whole commands, their start included; *in restore* are the same two as phases of
one restore, the second with what is compared while CRIU works on, and with \`--verify=memory\`. *of one check* is a preflight with
\`--only=criu-missing\`: what it takes more than that are its other checks, most of them code that runs once. *crit* is CRIU's own decoder (Python, its pure
protobuf) over the same images in one process. *kernel* is what a C program takes for the system calls of a
verification of a tree that bare CRIU has just restored, without a look at what they return: the least that
\`verify\` could take in a restore. *reading* is what one takes to open and read every image but page data.

${table(
  [
    "checkpoint",
    "preflight",
    "of one check",
    "crit",
    "verify",
    "in restore: preflight",
    "verify",
    "with memory",
    "kernel",
    "reading",
  ],
  rows.map((row) => [
    row.name,
    show(row.preflight),
    show(row.oneCheck),
    show(row.crit),
    show(row.verify),
    ms(row.phases.preflight),
    ms(row.phases.verify),
    ms(row.phases.memory),
    show(row.kernel),
    show(row.reading),
  ]),
)}

## what the engine is told

The program tells the JavaScript engine to do without its optimising compilers, and that the machine has 64 MiB
(docs/architecture.md). Other choices, by whole \`recriu preflight\` commands in turns, as ratios to the program as it is: processor time,
wall time on two processors, wall time on one.

${table(
  ["", ...(engine[0]?.cases.map(({ name }) => name) ?? [])],
  engine.map(({ name, cases }) => [
    name,
    ...cases.map(({ cpu, two: both, one }) =>
      [cpu, both, one].map(({ median }) => two(median)).join(", "),
    ),
  ]),
)}

## growth

Whole \`recriu preflight --isolate=pid\` commands of a dump whose tasks were copied, under numbers of their own (of so many some
are taken here). *KiB a task* is of the peak above 64 MiB.

${table(
  ["tasks", "images", "preflight", "processor", "processor, µs a task", "peak MiB", "KiB a task"],
  grown.map(({ tasks, images, ms: took, cpu, peak }) => [
    String(tasks),
    String(images),
    show(took),
    ms(cpu.median),
    ms((cpu.median * 1000) / tasks),
    peak.toFixed(0),
    ((Math.max(0, peak - 64) * 1024) / tasks).toFixed(1),
  ]),
)}

\`recriu seal\` of a checkpoint with so much page data (a file's hole: no disk is measured), beside \`sha256sum\` of that file, one run each.

${table(
  ["GiB", "seal, s", "sha256sum, s", "processor: seal", "sha256sum", "peak MiB"],
  sealed.map(({ gib, seal, sha256sum }) => [
    String(gib),
    ...[seal.ms, sha256sum.ms, seal.cpu, sha256sum.cpu].map((each) => (each / 1000).toFixed(1)),
    seal.mib.toFixed(0),
  ]),
)}

## start

What recriu adds where it only hands over, or has nothing to do. *The code of a restore is loaded* is a program like recriu (scripts/bench/loaded.ts)
that has all of it in memory and ends before the first line of a restore; its peak is ${Math.round(results.loadedPeak)} MiB. \`criu dump\` is of one task.

${table(
  ["command", "without recriu", "with", "added"],
  starts.map(({ name, bare, recriu }) => [
    name,
    show(bare),
    show(recriu),
    ms(recriu.median - bare.median),
  ]),
)}
`;
}

/** Ratios of `now` beside those of `before`, where both have the case. */
export function comparison(before: Results, now: Results): string {
  const of: [string, (row: Row) => number | undefined][] = [
    ["restore", (row) => row.ratio.median],
    // What was kept by an earlier bench has neither.
    ["as criu", (row) => row.asCriu?.ratio.median],
    ["processor", (row) => row.cpu && row.cpu.recriu.median / row.cpu.bare.median],
    ["preflight", (row) => row.preflight.median / row.bare.median],
  ];
  const lines = now.rows.flatMap((row) => {
    const old = before.rows.find(({ name }) => name === row.name);
    if (old === undefined) return [];
    const change = (row.ratio.median / old.ratio.median - 1) * 100;
    const pair = ([, ratio]: (typeof of)[number]) => {
      const [then, today] = [ratio(old), ratio(row)];
      return `${then === undefined ? "–" : two(then)} → ${two(today!)}`;
    };
    return [[row.name, ...of.map(pair), `${change >= 0 ? "+" : ""}${change.toFixed(0)} %`]];
  });
  const head = [
    "checkpoint",
    ...of.map(([name]) => `${name} to bare restore`),
    "change of restore",
  ];
  return table(head, lines);
}
