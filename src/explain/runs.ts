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
export const isGoodCheck = (log: Log | undefined): boolean =>
  log?.way === "check" && log.ended !== "badly" && log.cause === undefined;

/** Of a check that did not fail, or shows no verdict: the last dump or restore that failed. */
export function failedBeside(logs: readonly Log[], at: number): Log | undefined {
  const check = logs[at];
  return check?.way === "check" && check.ended !== "badly"
    ? logs.findLast((log) => log.way !== "check" && hasFailed(log))
    : undefined;
}
