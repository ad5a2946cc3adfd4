import { defineCommand } from "citty";
import { ownOptions } from "../criu/index.ts";
import { carryOut } from "../repair/index.ts";
import { printJson, reportOf } from "../report/json.ts";
import { printFindings, printSummary } from "../report/text.ts";
import { harmless, line } from "../report/terminal.ts";
import { exitCode } from "../report/outcome.ts";
import { begin, blockedExit, criuHelp, ownArgs } from "./request.ts";

export const appendix = criuHelp;

export const command = defineCommand({
  meta: {
    name: "preflight",
    description: "Name everything that would break the restore, in one pass. Changes nothing.",
  },
  args: ownArgs(ownOptions.filter(({ name }) => ["fix", "ignore", "criu", "json"].includes(name))),
  async run({ rawArgs }): Promise<number> {
    const started = await begin("preflight", rawArgs);
    if (!started.ok) return started.exit;
    const { preflight } = started;
    if (preflight.own.json) printJson(reportOf(preflight, undefined));
    else {
      printFindings(preflight.findings);
      printSummary(preflight);
    }
    const blocked = blockedExit(preflight);
    if (blocked !== undefined) return blocked;
    if (preflight.plan.repairs.length === 0) return exitCode.ok;
    if (!preflight.own.given.has("fix")) return exitCode.repairable;
    const done = carryOut(preflight.plan.repairs, preflight.checkpoint.dir);
    if (!done.ok) {
      line(`recriu preflight: ${harmless(done.problem)}`);
      return exitCode.blocked;
    }
    done.repaired.keep();
    line("repaired");
    return exitCode.ok;
  },
});
