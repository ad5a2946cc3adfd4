/** What runs of scripts/systems have seen, kept in docs/systems.json, and told in docs/systems.md and README: no row without a run. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../test/built.ts";

/** A system as it was last run; `tests` tells how far. */
export interface Row {
  readonly name: string;
  readonly about: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly criu: string;
  readonly lsm: string;
  readonly cgroups: string;
  readonly init: string;
  readonly passed: number;
  readonly failed: number;
  /** The files that ran there. */
  readonly tests: readonly string[];
  /** A day, YYYY-MM-DD. */
  readonly when: string;
}

/** What came of one system's checkpoint on another one; systems by their kernels (test/systems/carried-in.ts). */
export interface Cell {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly exit: number | null;
  readonly verdict: string;
  readonly findings: readonly string[];
}

export interface Seen {
  readonly rows: readonly Row[];
  readonly cells: readonly Cell[];
}

const file = join(repository, "docs/systems.json");

export const seen = (): Seen =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Seen) : { rows: [], cells: [] };

/** From `/mnt/about` of scripts/systems/guest/tests. */
export function facts(
  text: string,
): Pick<Row, "kernel" | "architecture" | "criu" | "lsm" | "cgroups"> {
  const [kernel = "", architecture = "", criu = "", lsm = "", ...cgroups] = text.trim().split("\n");
  return { kernel, architecture, criu, lsm, cgroups: cgroups.join(" ") };
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map(line).join("\n");

/** README's: what was seen, by how many tests, when. */
export const support = ({ rows }: Seen): string =>
  table(
    [
      "system",
      "kernel",
      "CRIU",
      "machine",
      "cgroups",
      "security modules",
      "first process",
      "tests",
      "seen",
    ],
    rows.map((row) => [
      row.about,
      row.kernel,
      row.criu,
      row.architecture,
      row.cgroups === "cgroup2" ? "v2 alone" : row.cgroups,
      row.lsm,
      row.init,
      row.failed === 0 ? `${row.passed}` : `${row.passed} of ${row.passed + row.failed}`,
      row.when,
    ]),
  );

const came = ({ exit, verdict, findings }: Cell): string => {
  const why = findings.map((id) => `[${id}](checks.md#${id})`).join(", ");
  if (exit === 0 && verdict === "match") return why === "" ? "verified" : `verified; ${why}`;
  return `exit ${exit}${why === "" ? "" : `: ${why}`}`;
};

/** The matrix: a row for each checkpoint that went somewhere. */
export function matrix({ rows, cells }: Seen): string {
  const name = (kernel: string) => rows.find((row) => row.kernel === kernel)?.about ?? kernel;
  return table(
    ["of", "on", "what", "came to"],
    cells
      .filter(({ from, to }) => from !== to)
      .map((cell) => [name(cell.from), name(cell.to), cell.what, came(cell)]),
  );
}

/** The text between the two marks of that name is replaced. */
function put(path: string, mark: string, text: string): void {
  const all = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- ${mark} -->\n`, `<!-- /${mark} -->`];
  const [from, to] = [all.indexOf(begin), all.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no place for ${mark}`);
  writeFileSync(path, `${all.slice(0, from + begin.length)}\n${text}\n\n${all.slice(to)}`);
}

/** Puts new rows in the place of those of the same systems, and writes what is made of them. One that did not boot is no row. */
export function keep({ rows: all, cells: told }: Seen): void {
  const before = seen();
  const fresh = { rows: all.filter(({ passed }) => passed > 0), cells: told };
  const rows = [
    ...before.rows.filter(({ name }) => !fresh.rows.some((row) => row.name === name)),
    ...fresh.rows,
  ].toSorted((a, b) => a.name.localeCompare(b.name));
  const same = (a: Cell, b: Cell) => a.from === b.from && a.to === b.to && a.what === b.what;
  const kernels = new Set(rows.map(({ kernel }) => kernel));
  const cells = [
    ...before.cells.filter((cell) => !fresh.cells.some((each) => same(cell, each))),
    ...fresh.cells,
  ].filter(({ from, to }) => kernels.has(from) && kernels.has(to));
  const now = { rows, cells };
  writeFileSync(file, `${JSON.stringify(now, null, 1)}\n`);
  put(join(repository, "docs/systems.md"), "support", support(now));
  put(join(repository, "docs/systems.md"), "matrix", matrix(now));
  put(join(repository, "README.md"), "support", support(now));
}
