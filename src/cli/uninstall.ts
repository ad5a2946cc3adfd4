import { refused, said, type Told, tellLines } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import { readRecord, uninstall } from "../runtime/install/changes.ts";
import type { Target } from "../runtime/install/targets.ts";
import type { Command } from "./command.ts";
import { installArgs, targetsOf } from "./install.ts";

export const command: Command = {
  meta: {
    name: "uninstall",
    description: "Take recriu out of runtimes again: all of them, or those that are named.",
  },
  args: {
    ...installArgs,
    runtime: {
      ...installArgs.runtime,
      description: "the runtimes to take recriu out of, with commas between",
    },
    criu: { type: "boolean", description: "take away the criu that is recriu" },
    "dry-run": { type: "boolean", description: "show what would be given back, and write nothing" },
  },
  run({ rawArgs }): Told {
    const asked = targetsOf("uninstall", rawArgs);
    if (!asked.ok) return asked.told;
    try {
      return takeOut(asked.root, asked.chosen, asked.dryRun);
    } catch (error) {
      return refused("uninstall", exitCode.criuFailed, (error as Error).message);
    }
  },
};

function takeOut(root: string, chosen: readonly Target[], dryRun: boolean): Told {
  const installed = readRecord(root);
  const wanted = installed.filter(({ target }) => chosen.length === 0 || chosen.includes(target));
  if (wanted.length === 0) return { exit: exitCode.ok, lines: [said`nothing is installed there`] };
  if (dryRun)
    return {
      exit: exitCode.ok,
      lines: wanted.flatMap(({ changes }) =>
        changes.map(
          ({ path, before }) =>
            said`${root}${path}: ${before === null ? "removed" : "as it was before"}`,
        ),
      ),
    };
  let exit: number = exitCode.ok;
  for (const { target } of wanted) {
    const left = uninstall(root, target);
    if (left.length > 0) exit = exitCode.criuFailed;
    tellLines(
      left.length === 0
        ? [said`${target}: as it was before`]
        : left.map((problem) => said`recriu uninstall: ${problem}`),
    );
  }
  return { exit };
}
