/** What `restore` does once its words are understood: findings, CRIU, verdict, each told. */
import type { OwnOptions, Request } from "../criu/index.ts";
import { printJson, reportOf, reportOfNothing } from "../report/json.ts";
import { exitCode } from "../report/outcome.ts";
import { leaveLog } from "../report/log-file.ts";
import type { ProgressReport } from "../report/progress.ts";
import { captured } from "../report/terminal.ts";
import { printFindings, printOutcome, printSummary, printVerdict } from "../report/text.ts";
import { moveAside, startAgain, wayOf } from "../restore/aside.ts";
import type { Held } from "../restore/hold.ts";
import { restore } from "../restore/index.ts";
import { blockedExit, look, type Started } from "./look.ts";

/** Restore with a CRIU that is held already, if one is. Returns the exit code. */
export async function restoreAsked(
  asked: { request: Request; own: OwnOptions },
  held: Held | undefined,
  progress: ProgressReport | undefined,
): Promise<number> {
  const { json, dryRun } = asked.own;
  let started = await look("restore", asked);
  const going = held !== undefined && !held.ended && mayGoOn(started);
  if (held !== undefined && !going) {
    await held.drop();
    // That it was there may have been in the way of what the images need.
    if (isBlocked(started)) started = await look("restore", asked);
  }
  if (!started.ok) {
    const { imagesDir, typed } = asked.request;
    if (json) printJson(reportOfNothing(typed.get(imagesDir) ?? imagesDir, started));
    return started.exit;
  }
  const { preflight } = started;
  const blocked = blockedExit(preflight);
  // Perhaps it is recriu itself that is in the way, or would be: then this starts again under other numbers.
  if (!dryRun) moveAside(preflight.checkpoint, () => startAgain(preflight.request));
  const print = () => {
    printFindings(
      preflight.findings.filter(
        (finding) => dryRun || blocked !== undefined || finding.severity !== "info",
      ),
    );
    printSummary(preflight);
  };
  if (!json) print();
  if (blocked !== undefined && !dryRun) leaveLog(preflight.request.logFile, captured(print));
  if (blocked !== undefined || dryRun) {
    if (json) printJson(reportOf(preflight, undefined, blocked ?? exitCode.ok));
    return blocked ?? exitCode.ok;
  }
  const onVerdict: Parameters<typeof restore>[1] = (verdict) => {
    if (!json) printVerdict(verdict);
  };
  const outcome = await restore(preflight, onVerdict, progress, going ? held : undefined);
  if (outcome.run === null)
    leaveLog(
      preflight.request.logFile,
      captured(() => printOutcome(outcome)),
    );
  if (json) printJson(reportOf(preflight, outcome, outcome.exit));
  else {
    if (outcome.failure !== null && outcome.verdict !== null) printVerdict(outcome.verdict);
    printOutcome(outcome);
    // Of a CRIU that got nowhere, what was told of before may be the reason.
    if (outcome.failure !== null && outcome.failure.at.length > 0)
      printFindings(preflight.findings.filter(({ severity }) => severity === "warning"));
  }
  return outcome.exit;
}

const isBlocked = (started: Started): boolean =>
  started.ok && started.preflight.plan.outcome === "blocked";

/** Whether a CRIU that was started without a plan can carry this one out. */
const mayGoOn = (started: Started): boolean =>
  started.ok &&
  !isBlocked(started) &&
  started.preflight.plan.options.length === 0 &&
  started.preflight.plan.environment.length === 0 &&
  wayOf(started.preflight.checkpoint) === undefined;
