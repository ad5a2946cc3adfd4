/** What recriu explain tells of a log: the first cause, where it stands, what it means; or the lines that matter. */
import type { LogReport } from "../explain/log.ts";
import { helperSays } from "../explain/called.ts";
import type { Explanation } from "../explain/index.ts";
import { isProbing } from "../explain/hangs.ts";
import { hasFailed, type Log } from "../explain/run.ts";
import { isEnding } from "../explain/refusal.ts";
import type { Lead } from "../explain/lead.ts";
import { isDebugger } from "../explain/speakers.ts";
import { sh } from "../sys/shell.ts";
import { printExplanation } from "./text.ts";
import { bold, dim, green, harmless, line, red, yellow } from "./terminal.ts";

/** What is known beside the log: of ids in it, of a log that is gone, of the machine's memory. */
interface Beside {
  readonly about: readonly string[];
  readonly kept: string | undefined;
  readonly memory: readonly string[];
}

export function printLogReport(report: LogReport, log: string, beside: Beside): void {
  const { others, said, named, refused, kind, lines } = report;
  const own = [headOf(report)].filter(Boolean).join("");
  if (kind === "log")
    line(`${bold(harmless(log))}: ${lines} ${lines === 1 ? "line" : "lines"}${own}`);
  for (const id of refused)
    line(
      `recriu refused this restore: ${bold(harmless(id))}; ${sh`recriu explain ${id}`} tells more`,
    );
  printLog(report, beside);
  for (const other of others) {
    if (isCheckBeside(other, report) || isSameCheck(other, report)) continue;
    line(`another run is in it${headOf(other)}:`);
    printLog(other, { about: [] });
  }
  if (said !== undefined) {
    line(harmless(said.line));
    printExplanation(ofWay(said, report.isDump ? "dump" : report.way));
    if (said.consequence && said.by === "criu")
      line(
        "that comes of something else, which is not in it: run it again with -v4 and give the whole log",
      );
  }
  if (isHeard(report)) line(`a program that CRIU calls says: ${harmless(report.helper!)}`);
  const checks = others.filter((other) => isCheckBeside(other, report)).map(checkBeside);
  for (const text of new Set(checks)) line(text);
  // Frames of CRIU's functions say more than where a log was.
  const isTraced = report.speaker !== undefined && isDebugger(report.speaker);
  if (kind === "words" && said === undefined && (named === undefined || isTraced))
    line(unknownOf(report));
  if (kind === "words" || report.cause === undefined) printLead(report.lead, said?.line);
  if (named !== undefined && report.cause === undefined) {
    const where = named.startsWith("/")
      ? "is not here to be read"
      : "was named, and not looked for";
    line(`  ${dim("log")}     ${harmless(named)} ${where}`);
    if (beside.kept !== undefined) line(`  ${dim("kept")}    ${harmless(beside.kept)}`);
  }
  for (const text of beside.memory) line(`  ${dim("machine")} ${harmless(text)}`);
}

/** A line of a table, as of mounts, may have thousands of letters. */
const shortened = (text: string): string =>
  text.length > LETTERS ? `${text.slice(0, LETTERS)} …` : text;
const LETTERS = 400;

/** A check that did not fail explains no failure; what it misses may yet be what the tree uses. */
const isCheckBeside = ({ way, ended }: Log, main: LogReport): boolean =>
  way === "check" && ended !== "badly" && main.way !== "check";

/** That a check went well twice is told once. */
const isSameCheck = (other: Log, { way, succeeded }: LogReport): boolean =>
  way === "check" &&
  succeeded &&
  other.way === way &&
  other.ended === "well" &&
  (other.cause ?? other.warnings[0]) === undefined;

function checkBeside({ explanation, warnings, ended }: Log): string {
  const lacks = [explanation, ...warnings].flatMap((one) => one?.line ?? []);
  const verdict = ended === "well" ? "which succeeded" : "whose verdict is not in it";
  const missed = lacks.length === 0 ? "" : `, and says: ${lacks.map(harmless).join("; ")}`;
  return `a check is in it, too, ${verdict}${missed}`;
}

const DAEMONS = "journalctl -u containerd -u crio -u docker";

function unknownOf({ speaker, uneventful, lead }: LogReport): string {
  if (uneventful && lead === undefined)
    return `no line of it is CRIU's, and none says that anything failed. If something did, more is told by: ${speaker?.look ?? DAEMONS}`;
  return speaker === undefined
    ? `nothing is known of it: it is about a checkpoint, and no line of it is CRIU's. CRIU's own log says more (criu with -v4 -o FILE; echo $?), or the daemon's: ${DAEMONS}`
    : `nothing is known of it: no line of it is CRIU's; ${speaker.name} says it, and more is told by: ${speaker.look}`;
}

/** What was pasted names a log by its path, and that is one of the machine where CRIU ran. */
export const printNamedLog = (path: string, isFile: boolean): void =>
  line(
    `${harmless(path)}, which it names, is here${isFile ? "" : " (if CRIU ran on another machine, this is not that log)"}:`,
  );

const headOf = ({ version, way }: Log): string =>
  `${version === undefined ? "" : `, CRIU ${version}`}${way === undefined ? "" : `, a ${way}`}`;

function printLog(log: LogReport | Log, { about }: Pick<Beside, "about">): void {
  const { cause, explanation, sign, later, warnings, before, after, ended, way, objects } = log;
  if (cause !== undefined) {
    const task = cause.pid === undefined ? "" : `, task ${cause.pid}`;
    line(`${red("error")}: ${bold(harmless(shortened(cause.message)))}`);
    const place = cause.line === undefined ? cause.file : `${cause.file}:${cause.line}`;
    const where = `${place}${task}`.replace(/^, /, "");
    if (where !== "") line(`  ${dim("where")}   ${harmless(where)}`);
  } else if (explanation !== undefined) line(`${red("error")}: ${harmless(explanation.line)}`);
  const helper = helperSays(log);
  if (helper !== undefined) line(`  ${dim("said")}    ${harmless(helper)}`);
  for (const text of about) line(`  ${dim("what")}    ${harmless(text)}`);
  if (objects.length > 0)
    line(`  ${dim("beside")}  the lines around it name ${harmless(objects.join("; "))}`);
  const isDump = "kind" in log && log.isDump;
  if (explanation !== undefined) printExplanation(ofWay(explanation, isDump ? "dump" : way));
  for (const one of log.besides) {
    line(`another error behind it, which may come of that: ${bold(harmless(one.line))}`);
    printExplanation(ofWay(one, way), one.remedy !== explanation?.remedy);
  }
  if (cause !== undefined && explanation === undefined) {
    line("nothing is known of that error; the lines around it:");
    for (const text of [...before, cause.message, ...after]) line(`  | ${harmless(text)}`);
    if (later !== undefined) {
      line(
        `of a later line something is known, which may be a consequence: ${bold(harmless(later.line))}`,
      );
      printExplanation(ofWay(later, way));
    }
    printLead(log.lead);
  }
  if (sign !== undefined) {
    line(`${red("error")}: ${bold(harmless(shortened(sign.message)))}`);
    // What others say behind it is that something else.
    const isTold = "kind" in log && log.said?.consequence === false;
    if (later !== undefined) printExplanation(later, !(isTold && endOfHelper.test(sign.message)));
    if (!isTold) line(signOf(log));
  } else if (cause === undefined && explanation === undefined) {
    const alone = "kind" in log && log.said === undefined && log.refused.length === 0;
    if (ended === "well" && (!("kind" in log) || log.succeeded)) {
      line(green(`the ${way ?? "run"} succeeded`));
      if ("kind" in log && isOfRestore(log)) line(RESTORE);
    } else if (ended === "badly" && "kind" in log && log.said?.by === "runtime") line(FAILED);
    else if (alone && log.kind === "log")
      line(
        ended === "badly"
          ? isEndedBy(log)
            ? "it failed, by what CRIU does not call an error"
            : FAILED
          : warnings.length + log.quiet.length > 0
            ? "no error of CRIU's is in it, nor that it succeeded, and CRIU goes on after a warning: what failed, if anything did, is another line, the first Error of the whole log (criu with -v4 -o FILE)"
            : "no error of CRIU's is in it, nor that it succeeded: it ends in the middle, or shows a part: the first Error of the whole log, written with -v4, says more",
      );
    else if ("kind" in log && isPart(log)) line(partOf(log));
    if (alone && ended === undefined)
      for (const { message, known } of log.quiet) {
        line(`${yellow("warning")}: ${harmless(message)}`);
        if (known !== undefined) printExplanation(known);
      }
    if (alone && ended === undefined && log.ending !== undefined) {
      line(`its last line: ${harmless(log.ending.replaceAll(/[\t ]+/g, " "))}`);
      if (log.loop.length > 0)
        line(
          `  ${dim("loops")}   it says the same again and again at its end, and does not come on: ${harmless(log.loop.join(" | "))}; a newer CRIU; kill -KILL ends it`,
        );
      else if (log.ending.endsWith(": Restored"))
        line(
          `  ${dim("task")}    CRIU's code in that task says so when it has made what the task had, and only its rights are to be given back. Whether all of the tree was restored is in the lines behind it (Restore finished successfully); where that stands there, what the program or its terminal does not do after it is not in CRIU's log: runc restore -d (--detach), of a container without a terminal; recriu verify -D DIR PID`,
        );
      else if (isProbing(log.ending))
        line(
          `  ${dim("hangs")}   if CRIU hangs there: it asks the kernel for what it can, and has not begun with any task or image: strace -f criu check shows which request does not return; cat /proc/PID/stack of criu and its children; a newer CRIU`,
        );
      else
        line(
          `  ${dim("hangs")}   if CRIU hangs there: ps -eLo pid,tid,stat,wchan:30,comm | grep -E 'criu|TASK', and cat /proc/PID/stack of both, say what it waits for`,
        );
    }
    if (alone && log.hint !== undefined) {
      line(
        isEndedBy(log)
          ? `its line: ${harmless(log.hint.line)}`
          : `a line says what was refused, and whether CRIU went on is not in it: ${harmless(log.hint.line)}`,
      );
      printExplanation(log.hint);
    }
  }
  for (const [at, warning] of warnings.entries()) {
    line(`${yellow("warning")}: ${harmless(warning.line)}`);
    // What several are to be met with stands once, behind the last of them.
    printExplanation(warning, warnings[at + 1]?.remedy !== warning.remedy);
  }
}

/** A dump that ends by what the kernel refused says so without an error. */
const isEndedBy = ({ way, ended, hint, refusal }: Log): boolean =>
  way === "dump" && ended === "badly" && hint !== undefined && isEnding(refusal);

/** What CRIU only says with -v4. */
const debugged =
  /^\(\d+\.\d+\)\s+\d+: (?:Create fd for \d|unix: Opening |epoll: Restore|\tReceive fd for \d)/;

function signOf(log: LogReport | Log): string {
  if (hasFailed(log))
    return log.before.some((text) => debugged.test(text))
      ? "that comes of something else, which is not in it: the whole log, which is of -v4 already, has it before these lines"
      : "that comes of something else, which is not in it: run it again with -v4 and give the whole log";
  return "kind" in log && log.failed
    ? "CRIU goes on after that, and failed later: why is not in it; the first Error of CRIU's own log with -v4 tells, from its beginning"
    : "CRIU goes on after that; whether anything failed is not in it: run it again with -v4 and give the whole log";
}

/** What to do where a program that CRIU called failed is of its own words, where those are there. */
const endOfHelper = /^(?:exited, status=|killed by signal )\d/;

/** Beside what only leads to CRIU's log some of that is there, and has no error. */
const isPart = ({ kind, said, ended, named, refused }: LogReport): boolean =>
  kind === "log" &&
  ended === undefined &&
  refused.length === 0 &&
  said?.by === "runtime" &&
  (named !== undefined || said.remedy.includes("recriu explain "));

/** Beside what only leads to CRIU's log those words may be why, where they were not told. */
const isHeard = (report: LogReport): boolean =>
  report.helper !== undefined &&
  report.cause === undefined &&
  report.said?.by === "runtime" &&
  (report.said.consequence || report.said.remedy.startsWith("recriu explain ")) &&
  !report.said.line.includes(report.helper) &&
  !isPart(report);

function partOf({ ending, warnings, quiet, helper }: LogReport): string {
  const last = ending === undefined ? "" : `, to ${harmless(ending.replaceAll(/[\t ]+/g, " "))}`;
  const only =
    warnings.length + quiet.length > 0 ? "only warnings, behind which CRIU goes on" : "no error";
  if (helper !== undefined)
    return `a part of CRIU's log is in it${last}, and has ${only} of its own; a program that it called says: ${harmless(helper)}`;
  return `a part of CRIU's log is in it${last}, and has ${only}: the first Error of the whole log says why`;
}

/** Behind a dump that went well a restore is spoken of, and that may be what failed. */
const isOfRestore = ({ way, hasRestore, others }: LogReport): boolean =>
  way === "dump" && hasRestore && !others.some((other) => other.way === "restore");
const RESTORE =
  "a restore is spoken of, too, and no line of its log is in it: if that failed, the first Error of restore.log says why (criu restore -v4 -o FILE; of Docker in criu.work below the checkpoint); if the machine itself goes down by it, its console or kdump, and a newer kernel";

const FAILED =
  "it failed, and no line of CRIU's here says why: the first Error of its whole log does; if there is none, run it again with -v4";

/** What preflight names is of a restore: where a dump failed there is none to look at. */
const ofWay = (explanation: Explanation, way: Log["way"]): Explanation =>
  way === "dump" ? { ...explanation, check: "" } : explanation;

/** A lead is told as that: why this line fails was not seen. */
function printLead(lead: Lead | undefined, told = ""): void {
  if (lead === undefined) return;
  const { line: text, about, because, look, checks } = lead;
  // What was just told of is not shown again as if nothing were known of it.
  const isTold = told !== "" && (text.includes(told) || told.includes(text));
  const head = isTold
    ? "of what stands behind it, where to look"
    : "no cause is known; where to look";
  line(
    `${head}, by ${about === "" ? "its errno" : "what it is about"}${isTold ? "" : `: ${harmless(text)}`}`,
  );
  if (about !== "") line(`  ${dim("about")}   ${harmless(about)}`);
  if (because !== undefined) line(`  ${dim("because")} ${harmless(because)}`);
  line(`  ${dim("look")}    ${harmless(look)}`);
  if (checks.length > 0)
    line(
      `  ${dim("check")}   of a restore: ${sh`recriu preflight -D DIR --only=${checks.join(",")}`}`,
    );
}

export const printNoLog = (log: string): void =>
  line(
    `recriu explain: ${log === "-" ? "what stdin gave" : harmless(log)} is no log of CRIU's: no line of it is CRIU's, or about it. Of a checkpoint or restore more is told by CRIU's own log (dump.log, restore.log; podman container checkpoint or restore --keep keeps it), or the daemon's (${DAEMONS} -u kubelet)`,
  );

export const printUnknownWords = (text: string, near: string): void =>
  line(
    `recriu explain: nothing is known of “${harmless(text)}”${near}; --list shows the checks and messages`,
  );

interface InDirectory {
  readonly path: string;
  readonly problem: string | undefined;
  readonly report: LogReport | undefined;
  readonly told: boolean;
}

/** Logs of a directory and how each ended. */
export function printDirectory(logs: readonly InDirectory[]): void {
  for (const { path, problem, report, told } of logs) {
    const how = report === undefined ? `cannot be read: ${problem}` : endOf(report);
    line(`${told ? bold(harmless(path)) : harmless(path)}: ${how}`);
  }
}

function endOf(report: LogReport): string {
  const { kind, refused, succeeded, way, sign } = report;
  if (kind !== "log") return "no log of CRIU's";
  if (refused.length > 0) return "recriu refused";
  if (succeeded) return `${way ?? "run"} succeeded`;
  if (hasFailed(report)) return `${way ?? "run"} failed`;
  return sign === undefined ? "no error in it" : "CRIU goes on after each error in it";
}
