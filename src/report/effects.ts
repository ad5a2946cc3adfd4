/** What a restore would do to this machine, as a table: by what it does, then by what to. */
import { countOf } from "../checks/grouped.ts";
import type { Effect } from "../checks/index.ts";
import { verbs } from "../checks/effects/effect.ts";
import { harmless, printText } from "./terminal.ts";

/** Rows of one verb that are shown; of the others their number, as of what is only read. */
const SHOWN = 100;
const WIDEST = 60;

export function printEffects(effects: readonly Effect[]): void {
  const lines: string[] = [];
  for (const verb of verbs) {
    const found = effects.filter((one) => one.verb === verb);
    if (found.length === 0) continue;
    const refused = found.filter(({ check }) => check !== null);
    const rows =
      verb === "read" ? refused : [...refused, ...found.filter(({ check }) => check === null)];
    const all = countOf(found);
    lines.push(`${verb} (${all})`, ...table(rows.slice(0, SHOWN).map(cells)));
    const left = all - Math.min(rows.length, SHOWN);
    const listed = all === found.length ? "them" : "the first of them";
    if (left > 0) lines.push(`  and ${left} more; --json lists ${listed}`);
  }
  printText(lines.length === 0 ? "nothing" : lines.join("\n"));
}

/** What, where, as the images name it, when, from which image, and the check that refuses it of an untrusted tree. */
function cells({ what, path, name, detail, image, task, when, check, count }: Effect): string[] {
  const named = path === null ? `${name} (no path of this machine)` : path;
  const called = path === null || path === name ? "" : `; ${name} in the images`;
  const where = [image || "criu", ...(task === null ? [] : [`task ${task}`])].join(" ");
  const often = count === 1 ? "" : ` ×${count}`;
  return [what, named, `${detail}${called}${often}`, when, where, check ?? ""].map(harmless);
}

function table(rows: readonly string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) =>
      row.map((cell, at) => Math.min(WIDEST, Math.max(widest[at] ?? 0, cell.length))),
    [],
  );
  return rows.map((row) =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ")}`.trimEnd(),
  );
}
