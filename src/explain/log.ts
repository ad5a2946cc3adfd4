/** Logs, and what people paste of them, to the first line that is a cause and what it means. */
import { parseLogLine } from "../criu/log.ts";
import { worthOf } from "../criu/worth.ts";
import { type Explanation, explain } from "./index.ts";
import { around } from "./beside.ts";
import { ofHelper } from "./called.ts";
import { booleansNamed } from "./booleans.ts";
import { circumstancesSeen } from "./circumstances.ts";
import { directionSeen } from "./direction.ts";
import { engineSeen } from "./wording.ts";
import { type Line, lineReader } from "./lines.ts";
import { listener } from "./others.ts";
import { conclude } from "./conclude.ts";
import { emptyLog, isGoneBy, type Log, noteError, noteWarning, noteWay, ofCheck } from "./run.ts";
import { lastWords } from "./final.ts";
import { isReadingOn, loopIn } from "./hangs.ts";
import { joined } from "./readings.ts";
import { type Lead, leadOf } from "./lead.ts";
import { noteProgress } from "./progress.ts";
import { isEnding, refusalIn } from "./refusal.ts";
import { deciding, hasAnything, isAny, isOfTree } from "./runs.ts";
import { isOfUsage, withLog } from "./runtimes.ts";
import { isOfBuild, type Speaker } from "./speakers.ts";

export interface LogReport extends Log {
  /** Earlier runs of which something is to be told. */
  others: readonly Log[];
  /** What others than CRIU said: a container runtime, an engine, or CRIU's words without a log around them. */
  said: Explanation | undefined;
  /** The name of those others, where a line shows it. */
  speaker: Speaker | undefined;
  /** Where those say that CRIU's log is. */
  named: string | undefined;
  /** The last line that is CRIU's, of a log without an error: it may hang there. */
  ending: string | undefined;
  /** Lines that it ends with again and again. */
  loop: readonly string[];
  /** All that is shown is of a dump. */
  isDump: boolean;
  /** A restore is shown, too, as a command or in words. */
  hasRestore: boolean;
  /** What a program that CRIU called says, where nothing else of the log fails. */
  helper: string | undefined;
  /** Those say that CRIU failed. */
  failed: boolean;
  /** It shows what a terminal does, and no line of others' sounds like a failure. */
  uneventful: boolean;
  /** Findings with which recriu refused the restore, by their ids. */
  refused: readonly string[];
  /** What of all this was there. */
  kind: "log" | "words" | "none";
  succeeded: boolean;
  lines: number;
}

/** So much of what has bytes of zero, and no line of CRIU's, is no log. */
const BINARY = 1024 * 1024;
const LOGS = 8;
const REFUSED = 20;
/** Lines from the beginning, beside those before an error, in which it is looked for what decides between entries. */
const AROUND = 1000;
/** Letters of a line in which a compiler or make is looked for. */
const BUILD = 256;
const HANG = "Preadv returned 0";

/**
 * Reads what it is fed; what is kept does not grow with it. `feed` is false when there is nothing to be found: it is no
 * text. `words`: what is fed is a message, not a log.
 */
export function logReader({ words = false } = {}): {
  feed(chunk: Uint8Array): boolean;
  end(): LogReport;
} {
  let log = emptyLog();
  const logs: Log[] = [log];
  /** Of the last error, in seconds from the run's beginning. */
  let time = 0;
  let anything = false;
  /** Lines are of a build, until a command is given. */
  let building = false;
  const refused = new Set<string>();
  const others = listener(words);
  const { note, seen } = around();
  const circumstances = circumstancesSeen();
  const booleans = booleansNamed();
  const engine = engineSeen();
  const direction = directionSeen();
  const weigh = <T extends Explanation | undefined>(explanation: T): T =>
    circumstances.weigh(booleans.quoted(engine.inItsWords(explanation)));
  let heard = 0;
  let helper: string | undefined;
  /** The run in which stands what others say. */
  let saidIn: Log | undefined;

  const begin = (): void => {
    if (logs.length === LOGS) logs.shift();
    logs.push((log = emptyLog()));
    time = 0;
  };
  const onLine = (line: Line): void => {
    const { text } = line;
    if ((heard += 1) <= AROUND) {
      note(text);
      // Of a debugger's lines the next one says whose they are, and of a log that is not there how CRIU ended.
      if (leadsOn.test(text)) note(line.next() ?? "");
      circumstances.note(text);
      booleans.note(text);
      engine.note(line.whole);
      direction.note(line.whole);
    }
    const refusal = /\bblocker\[([a-z0-9-]+)\]: /.exec(text)?.[1];
    // It is of its own run, and told where no later one began.
    if (refusal !== undefined && refused.size < REFUSED) refused.add(refusal);
    const isTold = text.includes("Error") || text.includes("Warn");
    const parsed = isTold
      ? parseLogLine(brokenSource.test(text) ? text + (line.next() ?? "").trim() : text)
      : undefined;
    const cut = isTold && parsed === undefined ? cutSource.exec(text) : null;
    if (cut !== null) log.lead ??= leadOf(cut[0], cut[1]);
    if (parsed === undefined && isOfBuild(text.slice(0, BUILD))) building = true;
    else if (parsed?.time !== undefined || prompt.test(text)) building = false;
    // What tests of a build print of errors that they want is none; what makes the code for tasks is no test.
    if (parsed !== undefined && building && !ofBlobs.test(parsed.file)) return;
    if (parsed !== undefined) {
      anything = true;
      // A check that begins behind what failed is another run.
      if (ofCheck(parsed) && log.way !== "check" && isOfTree(log)) begin();
      if (parsed.level === "Warn" || isWarning(line)) return noteWarning(log, parsed);
      // Of a new run, where the lines of its beginning were left out.
      const again =
        parsed.time === undefined || parsed.time < time || isBehindCheck(log, parsed.file);
      if (log.ended !== undefined && again && worthOf(parsed) === "cause") begin();
      time = parsed.time ?? time;
      return noteError(log, parsed, line);
    }
    // What was tried before has its own answer, and what follows another.
    const tested = ofTest.exec(text)?.[1];
    const started = tested ?? startsCriu.exec(text)?.[1];
    if (started !== undefined && (isAny(log) || (started === "check" && saidIn === log))) {
      begin();
      // Of commands several may stand together, with the lines of the last behind them; a test has those of each.
      if (tested !== undefined) log.way = tested === "restore" ? "restore" : "dump";
    }
    const version = /Version: (\d+\.\d[\d.]*)/.exec(text)?.[1];
    if (version !== undefined) {
      if (log.version !== undefined || log.cause !== undefined) begin();
      refused.clear();
      log.version = version;
      // criu --version says that alone.
      if (!/^\s*Version: [\d.]+$/.test(text)) anything = true;
    }
    if (log.ended === "badly" && endsWell.test(text)) begin();
    if (noteWay(log, text) || stamped.test(text)) {
      noteProgress(log, text);
      anything = true;
      if (!isEnding(log.refusal)) log.refusal = refusalIn(line) ?? log.refusal;
      const rest = behindEnd.exec(text)?.[1];
      if (rest !== undefined) others.hear({ ...line, text: rest }, { way: log.way, beside: seen });
    } else if (!ownVersion.test(text)) {
      if (ofHelper.test(text)) helper ??= joined(text.trim(), line.next);
      const before = others.said();
      others.hear(line, { way: log.way, beside: seen });
      if (others.said() === before) return;
      // A check says nothing behind its verdict.
      if (log.way === "check" && log.ended === "well") begin();
      saidIn = log;
    }
  };
  const reader = lineReader(onLine);
  let fed = 0;
  let binary = false;
  return {
    feed(chunk) {
      reader.feed(chunk);
      fed += chunk.length;
      binary ||= chunk.includes(0);
      return anything || others.anything() || !binary || fed < BINARY;
    },
    end() {
      const { lines, last } = reader.end();
      const loop = loopIn(last);
      if (isReadingOn(loop)) {
        log.explanation ??= explain(HANG);
        anything = true;
      }
      const quoted = logs.some(isOnlyWarned) ? others.end({ beside: seen }, true).said : undefined;
      const quotes = quoted?.by === "criu" && !quoted.consequence && !quoted.quiet;
      for (const each of logs) {
        // A check's warnings beside a message of CRIU's that somebody quotes are not what failed.
        if (quotes && isOnlyWarned(each)) each.way = undefined;
        for (const text of [...each.before, (each.cause?.message ?? "").replaceAll(/[ \t]+/g, " ")])
          note(text);
        const final = lastWords(each);
        if (final !== undefined) note(final);
        // What was in hand at an error, for entries that want both.
        if (each.cause !== undefined && each.objects.length > 0)
          note(`${each.objects.join("; ")} … ${each.cause.message}`);
        conclude(each, seen);
        each.explanation = weigh(each.explanation);
        each.later = weigh(each.later);
        each.besides = each.besides.map(weigh);
        each.hint = weigh(each.hint);
        each.warnings = each.warnings.map(weigh);
      }
      const told = logs.filter(hasAnything);
      const main = deciding(logs, others.said() === undefined ? undefined : saidIn) ?? log;
      const isRefused = refused.size > 0;
      const isNamed = logs.some(({ version }) => version !== undefined);
      const spoken = others.end({ way: main.way, beside: seen }, anything || isNamed);
      const { lead, speaker, named, isAbout, failed, uneventful } = spoken;
      // Words near to those of a line that is told itself are that line's.
      const isNear = spoken.said?.like !== undefined;
      const own = [main.sign?.message, ...main.warnings.map(({ line }) => line)];
      // What a program that CRIU called says is no cause beside what is known of its end.
      const isOfEnd =
        main.later !== undefined &&
        spoken.said?.consequence === true &&
        ofHelper.test(spoken.said.line);
      const said =
        isOfEnd ||
        (isNear && own.some((each) => each !== undefined && spoken.said?.line.includes(each)))
          ? undefined
          : spoken.said;
      // A check that did not fail answers no question of a dump or restore.
      const question =
        main.way === "check" && main.cause === undefined && main.ended !== "badly" && !isRefused
          ? spoken.asked
          : undefined;
      return {
        ...main,
        explanation: question === undefined ? withLog(main.explanation, named) : undefined,
        // What is pasted twice is told once.
        others: told.filter(
          (each) =>
            each !== main &&
            (each.cause === undefined || each.cause.message !== main.cause?.message),
        ),
        // What CRIU goes on after is not what failed, whoever repeats it; a command that was not understood failed by itself.
        said:
          (main.cause === undefined || isOfUsage(said)) &&
          main.way !== "check" &&
          !isRefused &&
          !goesOn(main)
            ? withLog(weigh(said), named)
            : weigh(question),
        lead:
          question === undefined &&
          main.cause === undefined &&
          main.explanation === undefined &&
          !isRefused &&
          !goesOn(main)
            ? (main.lead ?? ofSubject(lead, main))
            : main.lead,
        speaker,
        named,
        helper,
        isDump: direction.isDump(),
        hasRestore: direction.hasRestore(),
        ending: last.findLast((text) => stamped.test(text))?.trimEnd(),
        loop: loop ?? [],
        failed,
        uneventful,
        refused: [...refused],
        kind:
          anything || isRefused
            ? "log"
            : (said ?? named) === undefined && !isAbout && !isNamed
              ? "none"
              : "words",
        succeeded: main.cause === undefined && main.ended === "well" && !isRefused,
        lines,
      };
    },
  };
}

/** Beside an error of CRIU's the errno of a line of others' leads nowhere. */
const ofSubject = (lead: Lead | undefined, { sign }: Log): Lead | undefined =>
  sign !== undefined && lead?.about === "" ? undefined : lead;

const isOnlyWarned = ({ way, ended, cause, sign }: Log): boolean =>
  way === "check" && (ended ?? cause ?? sign) === undefined;

/** `criu check` says nothing behind its verdict: an error there is of what was done next. */
const isBehindCheck = ({ way, ended }: Log, file: string): boolean =>
  way === "check" && ended === "well" && !file.endsWith("cr-check.c");

/** A command, alone in its line, or behind a prompt. */
const startsCriu =
  /^\s*(?:\S{1,80}[ \]:~]?\S{0,80}[$#] |[$#>] )?(?:sudo (?:-\S{1,20} )?)?(?:\S{1,80}\/)?(?:criu|crtools) (?:-\S{1,40} )?(dump|pre-dump|restore|check)(?:$| -)/;
/** As CRIU's own tests say it. */
const ofTest = /^\W{0,3}Run criu (dump|pre-dump|restore)$/;
const leadsOn = /^Program |\/(?:dump|restore)\.log: no such file/;
const endsWell = /\b(?:Restore|(?:Pre-d|D)ump)(?:ing)? finished successfully/;

/** A window cut it behind its level. */
const isWarning = ({ whole, before }: Line): boolean =>
  !whole.includes("rror") && before(1)[0]?.trimEnd().endsWith("Warn") === true;

/** Sources of the tool that turns what was compiled into code for tasks. */
const ofBlobs = /(?:^|\/)(?:handle-elf(?:-\w+)?|piegen\/\w+)\.c$/;

const goesOn = (log: Log): boolean =>
  isGoneBy(log) && (log.later !== undefined || worthOf(log.sign!) !== "nothing");

/** A window broke it in the name of its source. */
const brokenSource = /\b(?:Error|Warn) {0,2}\([\w/.-]{0,60}(?::\d{0,6}\)?)?$/;

const cutSource = /\bError {0,2}\(((?:[\w-]{1,40}\/){0,4}[\w-]{1,40}\.c):\d{0,6}$/;

/** As CRIU writes it, in its log and for --version; others have it in sentences of their own. */
const ownVersion = /^[^\w.]{0,16}(?:[\d.]{1,16}\)\s?)?Version: \d/;
const stamped = /^\(\d+\.\d+\)|^\d+\.\d{6}\) |^\s*pie: \d+: |^\s*\d{1,10}: Debug: /;

/** The message that people put behind it, in one line. */
const behindEnd = /\b(?:Restoring|(?:Pre-d|D)umping) FAILED[.:,]? +(\S.*)$/;
const prompt = /^(?:\S{1,40} )?(?:\+|[\w@~:./-]{0,80}[$#]) \S/;
