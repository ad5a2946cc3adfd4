/** Of several runs in one paste: a check says nothing of a dump or restore that failed beside it. */
import type { LogLine } from "../criu/log.ts";
import { hasFailed, type Log } from "./run.ts";

/** Whether its errors are of a dump or restore, which a check does not make. */
export const isOfTree = ({ cause, sign, ended }: Log): boolean =>
  ended === "badly" || [cause, sign].some((error) => error !== undefined && ofTree(error));
const ofTree = ({ file, message, pid }: LogLine): boolean =>
  pid !== undefined || treeOnly.test(file) || /\b(?:dump|restore)\b/.test(message);
const treeOnly = /(?:^|\/)(?:cr-(?:dump|restore)|files(?:-\w+)?|mem|parasite-syscall|pstree)\.c$/;

/** A check that shows no failure. */
const isGoodCheck = (log: Log | undefined): boolean =>
  log?.way === "check" && log.ended !== "badly" && log.cause === undefined;

/** Of a check that did not fail, or shows no verdict: the last dump or restore that failed. */
function failedBeside(logs: readonly Log[], at: number): Log | undefined {
  const check = logs[at];
  return check?.way === "check" && check.ended !== "badly"
    ? logs.findLast((log) => log.way !== "check" && hasFailed(log))
    : undefined;
}

/** Whether something was seen of it that a later try has nothing to do with. */
export const isAny = (log: Log | undefined): boolean =>
  log !== undefined && (log.cause ?? log.sign ?? log.ended) !== undefined;

/** Whether there is something to tell of it. */
export const hasAnything = ({ cause, explanation, sign, warnings, way, ended }: Log): boolean =>
  (cause ?? explanation ?? sign ?? warnings[0]) !== undefined ||
  (way === "check" && ended === "well");

/**
 * The run that is told first: the last one, where its end or its cause was seen, and of a paste without either the first that
 * says something. `saidIn`: where others say what failed.
 */
export function deciding(logs: readonly Log[], saidIn: Log | undefined): Log | undefined {
  const at = logs.findLastIndex(
    ({ ended, version, cause }, index) =>
      ended !== undefined || ((version !== undefined || isAny(logs[index - 1])) && cause),
  );
  const isBehind = isGoodCheck(logs[at]) && saidIn !== logs[at];
  const told = logs.filter(hasAnything);
  return (
    failedBeside(logs, at) ??
    (isBehind ? saidIn : undefined) ??
    (isOfFailedDump(logs, at) ? logs[at - 1] : logs[at]) ??
    told.find(({ cause }) => cause !== undefined) ??
    told[0]
  );
}

/** Whether a restore failed right after the dump whose images it read. */
function isOfFailedDump(logs: readonly Log[], at: number): boolean {
  const [dump, restore] = [logs[at - 1], logs[at]];
  return restore?.way === "restore" && restore.ended !== "well" && dump?.way === "dump"
    ? dump.ended === "badly"
    : false;
}
