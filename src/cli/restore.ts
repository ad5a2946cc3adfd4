import { defineCommand } from "citty";
import { ownOptions } from "../criu/index.ts";
import { printJson, reportOf } from "../report/json.ts";
import { printFindings, printOutcome, printSummary, printVerdict } from "../report/text.ts";
import { exitCode } from "../report/outcome.ts";
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
    const blocked = blockedExit(preflight);
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
    const outcome = await restore(preflight, (verdict) => {
      if (!json) printVerdict(verdict);
    });
    if (json) printJson(reportOf(preflight, outcome));
    else {
      if (outcome.failure !== null && outcome.verdict !== null) printVerdict(outcome.verdict);
      printOutcome(outcome);
    }
    return outcome.exit;
  },
});
