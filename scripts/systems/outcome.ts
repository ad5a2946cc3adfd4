/** What the boots of a system have left behind, and what that makes of it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, cases } from "./cases.ts";
import type { System } from "./system.ts";
import { type Cell, facts, type Row } from "./table.ts";

/** The boots of a system: what it is given in each, and the directory of what came of that. */
export const boots = ["tests", "afterwards"] as const;

export interface Outcome {
  readonly row: Row;
  readonly cells: readonly Cell[];
  readonly count: Readonly<Record<Case["outcome"], number>>;
  /** Files that it was given, and that did not come to their end. */
  readonly unended: readonly string[];
}

/** A file has ended where the next one has begun, or all are summed up. */
function ended(log: string, files: readonly string[]): string[] {
  const begun = files.filter((file) => log.includes(`\n${file}:\n`));
  return /^Ran \d+ tests? across /m.test(log) ? begun : begun.slice(0, -1);
}

/** Of the boots of now, whose directories are in `machine`. */
export function outcome(name: string, system: System, machine: string): Outcome {
  const text = (...path: string[]) => {
    const file = join(machine, ...path);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  const came = boots.map((boot) => {
    const log = text(boot, "log");
    const files = ended(log, system[boot]);
    return { files, told: cases(log).filter(({ file }) => files.includes(file)) };
  });
  const whole = came.flatMap(({ files }) => files);
  const told = came.flatMap(({ told: each }) => each);
  const of = (which: Case["outcome"]) => told.filter((each) => each.outcome === which).length;
  const count = { passed: of("passed"), failed: of("failed"), skipped: of("skipped") };
  const { passed, failed } = count;
  const row: Row = {
    name,
    about: system.about,
    ...facts(text("tests", "about")),
    init: system.systemd ? "systemd" : "a script",
    passed,
    failed,
    tests: whole,
    when: new Date().toISOString().slice(0, 10),
  };
  const cells = JSON.parse(text("afterwards", "carried.json") || "[]") as Cell[];
  const all = boots.flatMap((boot) => system[boot]);
  return { row, cells, count, unended: all.filter((file) => !whole.includes(file)) };
}
