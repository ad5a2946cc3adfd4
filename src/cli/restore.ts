import { fstatSync } from "node:fs";
import { ownOptions } from "../criu/index.ts";
import { exitCode } from "../report/outcome.ts";
import { progressReport } from "../report/progress.ts";
import { harmless, line } from "../report/terminal.ts";
import { holdCriu } from "../restore/hold.ts";
import type { Command } from "./command.ts";
import { criuHelp, ownArgs, understand } from "./request.ts";

export const appendix = criuHelp;

export const command: Command = {
  meta: {
    name: "restore",
    description:
      "Restore a checkpoint: find every obstacle, repair what is safe, run CRIU, verify the tree before it runs.",
  },
  args: ownArgs(ownOptions),
  async run({ rawArgs }): Promise<number> {
    const asked = understand("restore", rawArgs, ownOptions);
    if (!asked.ok) return asked.exit;
    const given = asked.own.given.get("progress-fd");
    if (given !== undefined && !isOpen(Number(given))) {
      line(`recriu restore: --progress-fd takes an open descriptor, not ${harmless(given)}`);
      return exitCode.usage;
    }
    const { json } = asked.own;
    const progress = progressReport(given === undefined ? undefined : Number(given), json);
    let exit: number = exitCode.criuFailed;
    try {
      await using held = holdCriu(asked.request, asked.own);
      // All else is loaded while CRIU starts.
      const { restoreAsked } = await import("./restore-asked.ts");
      exit = await restoreAsked(asked, held, progress);
    } finally {
      progress?.done(exit);
    }
    return exit;
  },
};

function isOpen(fd: number): boolean {
  try {
    return Number.isInteger(fd) && fd > 2 && fstatSync(fd) !== undefined;
  } catch {
    return false;
  }
}
