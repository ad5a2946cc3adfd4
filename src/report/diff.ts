/** What differs between two checkpoints, as diff(1) marks it. */
import type { Changed } from "../show/compare.ts";
import { green, harmless, printText, red, yellow } from "./terminal.ts";

const paint = { "+": green, "-": red, "~": yellow } as const;
/** Changes of one task that are shown; a tree of thousands of files would hide the rest. */
const MOST = 200;

export function printChanged(changed: readonly Changed[], needs: readonly string[]): void {
  const lines: string[] = [];
  for (const [task, of] of Map.groupBy(changed, (each) => each.task)) {
    lines.push(task === null ? "the whole" : `task ${task}`);
    for (const { sign, kind, what } of of.slice(0, MOST))
      lines.push(`  ${paint[sign](sign)} ${kind.padEnd(9)} ${harmless(what)}`);
    if (of.length > MOST) lines.push(`  and ${of.length - MOST} more; --json has them all`);
  }
  if (needs.length > 0)
    lines.push("a restore of the second would meet here, and of the first would not");
  for (const need of needs) lines.push(`  ${harmless(need)}`);
  printText(
    lines.length === 0
      ? "no difference: tasks, files, sockets, mounts and cgroups are the same; memory contents are not compared"
      : lines.join("\n"),
  );
}
