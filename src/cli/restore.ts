import { fstatSync } from "node:fs";
import { defineCommand } from "citty";
import { ownOptions } from "../criu/index.ts";
import { printJson, reportOf } from "../report/json.ts";
import { printFindings, printOutcome, printSummary, printVerdict } from "../report/text.ts";
import { progressReport } from "../report/progress.ts";
import { harmless, line } from "../report/terminal.ts";
import { exitCode } from "../report/outcome.ts";
import { moveAside, startAgain } from "../restore/aside.ts";
import { restore } from "../restore/index.ts";
import { begin, blockedExit, criuHelp, ownArgs } from "./request.ts";

export const appendix = criuHelp;

export const command = defineCommand({
  meta: {
    name: "restore",
    description:
      "Restore a checkpoint: find every obstacle, repair what is safe, run CRIU, verify the tree before it runs.",
  },
  args: ownArgs(ownOptions),
  async run({ rawArgs }): Promise<number> {
    const started = await begin("restore", rawArgs, ownOptions);
    if (!started.ok) return started.exit;
    const { preflight } = started;
    const { json, dryRun } = preflight.own;
    const given = preflight.own.given.get("progress-fd");
    if (given !== undefined && !isOpen(Number(given))) {
      line(`recriu restore: --progress-fd takes an open descriptor, not ${harmless(given)}`);
      return exitCode.usage;
    }
    const blocked = blockedExit(preflight);
    // Perhaps it is recriu itself that is in the way, or would be: then this starts again under other numbers.
    if (!dryRun) moveAside(preflight.checkpoint, () => startAgain(preflight.request));
    if (!json) {
      printFindings(
        preflight.findings.filter(
          (finding) => dryRun || blocked !== undefined || finding.severity !== "info",
        ),
      );
      printSummary(preflight);
    }
    if (blocked !== undefined || dryRun) {
      if (json) printJson(reportOf(preflight, undefined));
      return blocked ?? exitCode.ok;
    }
    const progress = progressReport(given === undefined ? undefined : Number(given), json);
    const outcome = await restore(
      preflight,
      (verdict) => {
        progress?.end();
        if (!json) printVerdict(verdict);
      },
      progress,
    );
    if (json) printJson(reportOf(preflight, outcome));
    else {
      if (outcome.failure !== null && outcome.verdict !== null) printVerdict(outcome.verdict);
      printOutcome(outcome);
    }
    return outcome.exit;
  },
});

function isOpen(fd: number): boolean {
  try {
    return Number.isInteger(fd) && fd > 2 && fstatSync(fd) !== undefined;
  } catch {
    return false;
  }
}
