/** What a run's errors mean, once all its lines are there. */
import { type LogLine, parseLogLine } from "../criu/log.ts";
import { endsAsLast, worthOf } from "../criu/worth.ts";
import { compareVersions } from "../criu/version.ts";
import { besidesOf } from "./besides.ts";
import { helperSays } from "./called.ts";
import type { Entry } from "./entry.ts";
import { type Explanation, explain } from "./index.ts";
import { withWhole } from "./cut.ts";
import { leadOf } from "./lead.ts";
import { withObjectsBehind } from "./objects.ts";
import { hasGoneOn } from "./progress.ts";
import { hintOf } from "./refusal.ts";
import { endedAs } from "./whole.ts";
import { hasFailed, isGoneBy, isSign, type Log, ofCheck, sourceOf, WARNINGS } from "./run.ts";

/** Some reasons CRIU does not call errors. */
const complaint =
  /^\([\d.]+\)\s+(?:\d+: )?((?:[\w-]+: )?(?:Can't|Cannot|Couldn't|Failed|Unable|No such) .*)$/;

/** What is known of the last line before that sounds like a reason; a warning sounds so only where it is the last. */
function toldBefore({ before, way, version }: Log): Explanation | undefined {
  // Consoles and mails put empty lines between those of a log.
  const lines = before.filter((text) => text.trim() !== "");
  for (const [back, text] of lines.toReversed().entries()) {
    const line = parseLogLine(text);
    if (line?.level === "Warn" && back > 0) continue;
    const said = line?.level === "Warn" ? line.message : complaint.exec(text)?.[1];
    const place = { ...(line && sourceOf(line)), way, version };
    const known = said === undefined ? undefined : explain(said, place);
    if (known !== undefined && !known.consequence && !known.warning && !known.quiet) return known;
  }
  return undefined;
}

/** A dump whose first task may not be traced ends by that, with a warning far before its end and no error but of letting it go. */
function toldOfUntraced({ untraced, sign, ended }: Log): Explanation | undefined {
  const held = /^Unable to detach from (\d{1,10}):/.exec(sign?.message ?? "")?.[1];
  const first = untraced.find(
    ({ message }) => held === undefined || message.startsWith(`Unable to interrupt task: ${held} `),
  );
  const isAlone = sign === undefined ? ended === "badly" : held !== undefined;
  return first !== undefined && isAlone ? explain(first.message, sourceOf(first)) : undefined;
}

/** A check goes on after each error: it tells of all of them, of its own verdicts first, and only of lacks where it ended well. */
function concludeCheck(log: Log, first: LogLine, beside?: ReadonlySet<Entry>): void {
  const known = (error: LogLine) =>
    explain(error.message, { ...sourceOf(error), way: "check", beside });
  const errors = [first, ...log.after.flatMap((text) => parseLogLine(text) ?? [])];
  const main = log.ended === "well" ? undefined : (errors.find(ofCheck) ?? first);
  log.cause = main;
  if (main !== undefined) log.explanation = known(main);
  // What CRIU calls errors goes before what it only warns of.
  const lacks: Explanation[] = [];
  for (const error of errors) {
    const lack = known(error);
    const told = [log.explanation, ...lacks].some((one) => one?.cause === lack?.cause);
    if (lack !== undefined && !told) lacks.push(lack);
  }
  const warnings = log.warnings.filter((one) => !lacks.some(({ cause }) => cause === one.cause));
  log.warnings = [...lacks, ...warnings].slice(0, WARNINGS);
}

/** Without the modules that list sockets a dump by CRIU before 3.12 fails, and says no more than at its start. */
const isOfOldDump = ({ way, ended, version }: Log, { file, message }: LogLine): boolean =>
  way === "dump" &&
  ended === "badly" &&
  (version === undefined ? file === "sockets.c" : compareVersions(version, TELLS) < 0) &&
  /^(?:\w+: )?Diag module missing/.test(message);

/** The first that says which sockets it could not have listed. */
const TELLS = "3.12";

/** An error after which the dump went on, and did not fail as far as the lines go, is not what failed. */
function passBy(log: Log): void {
  const { cause, way, ended, version } = log;
  if (cause === undefined || ended === "badly" || !hasGoneOn(log.progress)) return;
  // Of a restore each task goes its own way, and one may fail behind its end.
  if (way === "check" || way === "restore") return;
  if (ended === "well") {
    const known = explain(cause.message, { ...sourceOf(cause), way, version });
    if (known !== undefined && known.like === undefined) log.warnings.push(known);
  }
  log.sign = cause;
  log.cause = undefined;
  log.after = [];
}

/** A check that went well says at its start how programs ended that it only tried: an error by its level, and harmless. */
function noteTried({ way, ended, cause, sign, warnings }: Log): void {
  if (way !== "check" || ended !== "well" || cause !== undefined) return;
  if (sign === undefined || !sign.message.startsWith("exited, status=")) return;
  const known = explain(sign.message, { ...sourceOf(sign), way });
  if (known !== undefined) warnings.push(known);
}

/** What it means is known only when it is known what CRIU was doing, at the end. */
export function conclude(log: Log, beside?: ReadonlySet<Entry>): void {
  noteTried(log);
  const { previous } = log;
  // Nothing came behind it.
  const isOpen = log.cause === undefined && log.ended !== "well";
  const final = isSign(log) ? log.last : previous;
  if (isOpen && final !== undefined && (endsAsLast(final) || isOfOldDump(log, final)))
    log.cause = final;
  passBy(log);
  const { cause, after } = log;
  if (cause !== undefined || log.ended === "well") log.sign = undefined;
  if (cause === undefined && log.ended !== "well" && !hasGoneOn(log.progress))
    log.explanation ??= toldOfUntraced(log) ?? toldBefore(log);
  // criu check --feature says no more than what is missing.
  const isLack = log.way === "check" && log.ended === undefined && log.sign === undefined;
  if (cause === undefined && isLack) log.explanation ??= log.warnings.shift();
  if (log.explanation !== undefined) log.sign = undefined;
  const first = cause ?? log.sign;
  if (first === undefined) {
    if (log.explanation === undefined && log.ended !== "well") log.hint = hintOf(log.refusal, log);
    else log.lead = undefined;
    return;
  }
  log.lead = undefined;
  const way = log.way ?? (ofCheck(first) ? "check" : undefined);
  if (way === "check" && cause !== undefined) return concludeCheck(log, cause, beside);
  const { version } = log;
  log.objects = withObjectsBehind(log.objects, first, after);
  const known = (error: LogLine) =>
    explain(error.message, { ...sourceOf(error), way, beside, version });
  if (cause === undefined) {
    log.later = known(first);
    // Of words that are only near to it nothing is told where nothing failed.
    if (log.later?.like !== undefined && isGoneBy(log)) log.later = undefined;
    if (log.later === undefined && hasFailed(log)) log.lead = leadOf(first.message, first.file);
    return;
  }
  const helper = helperSays(log);
  const reason = helper === undefined ? undefined : explain(helper.trim(), { beside });
  log.explanation =
    reason?.by === "runtime" && !reason.consequence
      ? reason
      : known({ ...cause, message: endedAs(cause.message, log.before) });
  if (log.explanation !== undefined) {
    log.besides = besidesOf(cause, log.explanation, after, known);
    return;
  }
  log.lead = withWhole(leadOf(cause.message, cause.file), cause);
  for (const text of after) {
    const next = parseLogLine(text);
    if (next === undefined || worthOf(next) !== "cause") continue;
    log.later = known(next);
    if (log.later !== undefined) return;
  }
}
