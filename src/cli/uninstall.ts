import { harmless, line } from "../report/terminal.ts";
import { exitCode } from "../report/outcome.ts";
import { readRecord, uninstall } from "../runtime/install/changes.ts";
import type { Target } from "../runtime/install/targets.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";
import { installArgs, targetsOf } from "./install.ts";

export const command: Command = {
  meta: {
    name: "uninstall",
    description: "Take recriu out of runtimes again: all of them, or those that are named.",
  },
  args: installArgs,
  run({ rawArgs }): number {
    const parsed = parseStrictly("uninstall", installArgs, rawArgs);
    const chosen = parsed && targetsOf("uninstall", parsed.values);
    if (parsed === undefined || chosen === undefined) return exitCode.usage;
    try {
      return takeOut(String(parsed.values.root ?? ""), chosen, parsed.values["dry-run"] === true);
    } catch (error) {
      line(`recriu uninstall: ${harmless((error as Error).message)}`);
      return exitCode.criuFailed;
    }
  },
};

function takeOut(root: string, chosen: readonly Target[], dryRun: boolean): number {
  const installed = readRecord(root);
  const wanted = installed.filter(({ target }) => chosen.length === 0 || chosen.includes(target));
  if (wanted.length === 0) line("nothing is installed there");
  let clean = true;
  for (const { target, changes } of wanted) {
    if (dryRun) {
      for (const { path, before } of changes)
        line(`${root}${path}: ${before === null ? "removed" : "as it was before"}`);
      continue;
    }
    const left = uninstall(root, target);
    for (const problem of left) line(`recriu uninstall: ${harmless(problem)}`);
    if (left.length === 0) line(`${target}: as it was before`);
    clean &&= left.length === 0;
  }
  return clean ? exitCode.ok : exitCode.criuFailed;
}
