/** One run of CRIU's, as its lines come: what it did, how it ended, the first error that is a cause. What that means is conclude.ts's. */
import { type LogLine } from "../criu/log.ts";
import {
  endsAsLast,
  endsStart,
  isOfOneFailure,
  isOfProbe,
  isOfTrial,
  isTidiedAgain,
  isTold,
  worthOf,
} from "../criu/worth.ts";
import { isOfHelper, isOfTolerated, ofHelper } from "./called.ts";
import type { Way } from "./entry.ts";
import { type Explanation, explain } from "./index.ts";
import type { Lead } from "./lead.ts";
import type { Line } from "./lines.ts";
import { objectsBefore } from "./objects.ts";
import { GOES_ON, hasGoneOn } from "./progress.ts";
import { wayOf, wayOfSource } from "./way.ts";
import { wholeOf } from "./whole.ts";

export interface Log {
  /** CRIU's version, as the log names it. */
  version: string | undefined;
  way: Way | undefined;
  /** How it ended, as far as the log says. */
  ended: "well" | "badly" | undefined;
  /** The first error that is no mere consequence; undefined where there is none. */
  cause: LogLine | undefined;
  /** Of the cause; undefined where nothing is known of it. */
  explanation: Explanation | undefined;
  /** Where there is no cause: the first error that says something failed, but not why; or else one after which CRIU goes on. */
  sign: LogLine | undefined;
  /** Where nothing is known of the cause: the first later error of which something is; or what is of the sign. */
  later: Explanation | undefined;
  /** Where nothing is known of the cause, or of the sign, or an error was cut in the name of its source: where to look. */
  lead: Lead | undefined;
  /** The last line that is called no error and says what the kernel refused, and what is known of it: only where nothing else is said. */
  refusal: string | undefined;
  hint: Explanation | undefined;
  /** Warnings that matter though CRIU went on. */
  warnings: Explanation[];
  /** Those of tasks that CRIU may not trace: told where a dump gives no other reason. */
  untraced: LogLine[];
  /** Of all others the first ones, and what is known of each: told where nothing else is. */
  quiet: { message: string; known: Explanation | undefined }[];
  /** Other errors behind the cause, of lines that have no times. */
  besides: Explanation[];
  /** The error before the one that is read, but for those that only say that something failed. */
  previous: LogLine | undefined;
  /** The first of the errors of one failure that it is of. */
  begun: LogLine | undefined;
  /** The last error of all. */
  last: LogLine | undefined;
  /** Lines before the cause, and the errors after it, of a program that CRIU called, too. */
  before: string[];
  /** What the lines around the cause say CRIU had in hand. */
  objects: string[];
  after: string[];
  /** How far a dump went on behind the cause as if nothing were; -1 where it let its tasks go, as it does when it fails. */
  progress: number;
}

/** Whether it says that something failed: an error after which CRIU goes on does not. */
export const hasFailed = ({ cause, explanation, sign, ended, progress }: Log): boolean =>
  ended === "badly" ||
  (cause ?? explanation) !== undefined ||
  (sign !== undefined && worthOf(sign) !== "nothing" && !hasGoneOn(progress));

/** Whether CRIU went on after the error that is told. */
export const isGoneBy = ({ sign, progress }: Log): boolean =>
  sign !== undefined && (worthOf(sign) === "nothing" || hasGoneOn(progress));

/** Lines that are shown of those before an error, and in which the thing is looked for that it is about. */
const BEFORE = 5;
const AROUND = 24;
const AFTER = 10;
export const WARNINGS = 10;
const QUIET = 5;

export const emptyLog = (): Log => ({
  version: undefined,
  way: undefined,
  ended: undefined,
  cause: undefined,
  explanation: undefined,
  sign: undefined,
  later: undefined,
  lead: undefined,
  refusal: undefined,
  hint: undefined,
  warnings: [],
  untraced: [],
  quiet: [],
  besides: [],
  previous: undefined,
  begun: undefined,
  last: undefined,
  before: [],
  objects: [],
  after: [],
  progress: 0,
});

/** What `criu check` ends with. */
const checked = /^(?:> ?)?[`'"*]{0,3}(Looks|Does not look) good\b/;

/** Of a line that tells what CRIU was doing, and how that ended. */
export function noteWay(log: Log, text: string): boolean {
  const check = checked.exec(text)?.[1];
  const way = check === undefined ? wayOf(text) : "check";
  if (way === undefined) return false;
  log.way ??= way;
  if (check !== undefined) log.ended = check === "Looks" ? "well" : "badly";
  else if (text.includes("finished successfully")) {
    log.ended = "well";
    if (log.cause !== undefined) log.progress = GOES_ON;
  } else if (text.includes(" FAILED")) log.ended ??= "badly";
  return true;
}

export function noteWarning(log: Log, warning: LogLine): void {
  const { message } = warning;
  if (ofCheck(warning)) log.way ??= "check";
  if (log.untraced.length < WARNINGS && untraced.test(message)) log.untraced.push(warning);
  if (log.warnings.length === WARNINGS) return;
  const known = explain(message, { ...sourceOf(warning), way: log.way, version: log.version });
  if (known?.warning === true) {
    if (!log.warnings.some(({ cause }) => cause === known.cause)) log.warnings.push(known);
  } else if (log.quiet.length < QUIET && !log.quiet.some((one) => isSame(one.message, message)))
    log.quiet.push({
      message,
      known: known?.quiet === true || ofCheck(warning) ? known : undefined,
    });
}

const untraced = /^Unable to interrupt task: \d{1,10} \(Operation not permitted\)$/;

/** But for numbers, and names behind them. */
const isSame = (one: string, other: string): boolean =>
  one.replace(/\d.*$/s, "") === other.replace(/\d.*$/s, "");

export function noteError(log: Log, error: LogLine, line: Line): void {
  if (ofCheck(error)) log.way ??= "check";
  const way = wayOf(error.message);
  if (way !== undefined) {
    log.way = way;
    log.ended = "badly";
  }
  log.way ??= wayOfSource(error);
  const { previous } = log;
  const worth = isOfTolerated(previous, error) ? "nothing" : worthOf(error);
  // What a dump went on after does not hide the one that ended it.
  const isDump = log.way !== "restore" && log.way !== "check" && hasGoneOn(log.progress);
  const isNew = () => explain(error.message, sourceOf(error))?.consequence !== true;
  if (
    (isDump && worth === "cause" && isNew()) ||
    (worth === "cause" &&
      (isRetried(log, error) || isLinkedAnew(log, error) || isOfProbe(log.cause, error)))
  ) {
    log.sign ??= log.cause;
    log.cause = undefined;
    log.after = [];
  }
  const whole = { ...error, message: wholeOf(error, line) };
  log.last = whole;
  // Of a start that ends here, why it does stands right before, if anywhere.
  if (endsStart(error) && log.cause?.message !== log.begun?.message)
    log.cause =
      log.begun !== undefined && (worthOf(log.begun) === "cause" || endsAsLast(log.begun))
        ? log.begun
        : undefined;
  // What the kernel answered to a trial counts no more than the trial.
  if (isOfTrial(log.cause, error) && log.cause === previous) log.cause = undefined;
  if (worth !== "sign" && worth !== "end") {
    if (!isOfOneFailure(previous, error)) log.begun = whole;
    log.previous = whole;
  }
  const signs = isSign(log);
  if (log.cause === undefined && isTidiedAgain(log.sign, error)) {
    log.cause = log.sign;
    log.sign = undefined;
  }
  // Old CRIUs count a program that they called among the tasks: what it was called for failed, and is told behind it.
  if (worth === "cause" && isOfHelper(log) && error.pid === log.cause?.pid) log.cause = undefined;
  if (log.cause !== undefined) {
    if (log.after.length < AFTER) log.after.push(line.text);
  } else if (
    worth === "cause" ||
    (worth === "death" && isTold(error, signs ? log.sign : undefined))
  ) {
    log.cause = whole;
    log.progress = 0;
    log.before = line.before(BEFORE);
    log.objects = objectsBefore(error, line.before(AROUND));
    const next = line.next();
    if (next !== undefined && ofHelper.test(next)) log.after.push(next);
  } else if ((worth === "sign" && !signs) || (worth === "end" && !signs)) {
    if (worth === "sign") log.sign = error;
    log.before = line.before(BEFORE);
    log.objects = objectsBefore(error, line.before(AROUND));
  } else if (worth === "nothing" && (log.sign === undefined || saysMore(error, log.sign)))
    log.sign = error;
}

/** How a program ended that CRIU called says less than what the kernel does not allow CRIU itself. */
const saysMore = ({ message }: LogLine, sign: LogLine): boolean =>
  sign.message.startsWith("exited, status=") && isDenied(message);
const isDenied = (message: string): boolean =>
  /: (?:Operation not permitted|Permission denied)$/.test(message);

/** Whether the cause is a task's that ended while it was seized, which CRIU tries again, and this is an error of something else. */
function isRetried({ cause, after }: Log, error: LogLine): boolean {
  const pid = lost.exec(cause?.message ?? "")?.[1];
  return (
    pid !== undefined &&
    after.some((text) => text.includes(`Unable to detach from ${pid}: No such process`)) &&
    !lost.test(error.message)
  );
}
const lost = /^Can't open (\d+)(?:\/status on procfs)?: No such/;

/** In a user namespace a link that is denied is tried again as the file's owner; of one that is denied then, too, it is said twice or more. */
const isLinkedAnew = ({ cause, after }: Log, error: LogLine): boolean =>
  cause !== undefined &&
  cause.file.startsWith("criu/") &&
  linkDenied.test(cause.message) &&
  ![error.message, ...after].some((text) => text.includes("Can't link "));
const linkDenied =
  /^Can't link \S.* -> .*: (?:Operation not permitted|Value too large for defined data type)$/;

/** Of a line that names none nothing is known of its source, and its words have to do. */
export const sourceOf = ({ file, line }: Pick<LogLine, "file"> & Partial<LogLine>) =>
  file === "" ? {} : { file, line };

export const ofCheck = ({ file }: LogLine): boolean => file.endsWith("cr-check.c");

export const isSign = ({ sign }: Log): boolean => sign !== undefined && worthOf(sign) === "sign";
