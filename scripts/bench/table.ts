/** Rows to Markdown, and to the change since other rows. */
import type { Row, Spread } from "./measure.ts";

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
  starts: Start[];
}

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const show = ({ median, low, high }: Spread, text = ms): string =>
  `${text(median)} (${text(low)}–${text(high)})`;
const two = (value: number): string => value.toFixed(2);

const table = (head: string[], lines: string[][]): string =>
  [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

export function markdown({ version, criu, machine, date, runs, rows, starts }: Results): string {
  return `# Benchmarks

Made by \`npm run bench\` on ${date}: recriu ${version}, CRIU ${criu}, ${machine}. Times are wall time in
milliseconds, the median of ${runs} runs, with the middle half in brackets; recriu and bare CRIU took turns, so
compare within a row, not with other machines. A run that fails stops the bench: no figure is from one.

## restore

\`recriu restore\` with everything on (preflight, gate, full verification) to \`criu restore\` of the same images
with the same options. *ratio* and *more* are of the pairs. *peak* is recriu's own memory, the highest of three runs.

${table(
  ["checkpoint", "tasks", "images", "criu", "recriu", "ratio", "more", "peak MiB"],
  rows.map((row) => [
    row.name,
    String(row.tasks),
    String(row.images),
    show(row.bare),
    show(row.recriu),
    show(row.ratio, two),
    show(row.more),
    row.peak.toFixed(0),
  ]),
)}

What recriu adds grows in line with tasks, descriptors and mappings (the rows that double): for a small tree it is its
own start and the checks, for a large one reading images before CRIU starts and comparing every task, half of it
while CRIU works on, half while the tree is stopped. Memory contents are not read without \`--verify=memory\`, so they
cost nothing.

## alone

*preflight* and *verify* are whole commands, their start included; *in restore* are the same two as phases of
one restore, the second with what is compared while CRIU works on, and with \`--verify=memory\`. *crit* is CRIU's own decoder (Python, its pure
protobuf) over the same images in one process. *kernel* is what a C program takes for the system calls of a
verification of a tree that bare CRIU has just restored, without a look at what they return: the least that
\`verify\` could take in a restore.

${table(
  [
    "checkpoint",
    "preflight",
    "crit",
    "verify",
    "in restore: preflight",
    "verify",
    "with memory",
    "kernel",
  ],
  rows.map((row) => [
    row.name,
    show(row.preflight),
    show(row.crit),
    show(row.verify),
    ms(row.phases.preflight),
    ms(row.phases.verify),
    ms(row.phases.memory),
    show(row.kernel),
  ]),
)}

## start

What recriu adds where it only hands over, or has nothing to do.

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
  const lines = now.rows.flatMap((row) => {
    const old = before.rows.find(({ name }) => name === row.name);
    if (old === undefined) return [];
    const change = (row.ratio.median / old.ratio.median - 1) * 100;
    const of = (a: Row): string => two(a.preflight.median / a.bare.median);
    return [
      [
        row.name,
        two(old.ratio.median),
        two(row.ratio.median),
        `${change >= 0 ? "+" : ""}${change.toFixed(0)} %`,
        of(old),
        of(row),
      ],
    ];
  });
  const head = ["checkpoint", `restore ${before.version}`, `${now.version}`, "change"];
  return table([...head, `preflight to bare restore ${before.version}`, now.version], lines);
}
