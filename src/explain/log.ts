/** Logs, and what people paste of them, to the first line that is a cause and what it means. */
import { isDeath, isTrailer, type LogLine, parseLogLine } from "../criu/log.ts";
import type { Checkpoint } from "../image/index.ts";
import type { Way } from "./entry.ts";
import { type Bytes, fromBytes } from "../sys/text.ts";
import { type Explanation, explain } from "./index.ts";
import { type Line, lineReader } from "./lines.ts";
import { logNamed } from "./runtimes.ts";

/** One run of CRIU's. */
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
  /** Where nothing is known of the cause: the first later error of which something is. */
  later: Explanation | undefined;
  /** Warnings that matter though CRIU went on. */
  warnings: Explanation[];
  /** Lines before the cause, and the errors after it. */
  before: string[];
  after: string[];
}

export interface LogReport extends Log {
  /** Further runs of which something is to be told. */
  others: readonly Log[];
  /** What others than CRIU said: a container runtime, an engine, or CRIU's words without a log around them. */
  said: Explanation | undefined;
  /** Where those say that CRIU's log is. */
  named: string | undefined;
  /** Findings with which recriu refused the restore, by their ids. */
  refused: readonly string[];
  /** What of all this was there. */
  kind: "log" | "words" | "none";
  succeeded: boolean;
  lines: number;
}

const AFTER = 10;
/** So much of what has bytes of zero, and no line of CRIU's, is no log. */
const BINARY = 1024 * 1024;
const LOGS = 8;
const WARNINGS = 10;
const REFUSED = 20;
/** Words of others of which a meaning is looked for. */
const FOREIGN = 500;
/** CRIU reads a pages image that is too short at its end for ever. */
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
  let dropped = false;
  let foreign = 0;
  let anything = false;
  let said: Explanation | undefined;
  let named: string | undefined;
  const refused = new Set<string>();

  const begin = (): void => {
    if (logs.length === LOGS) dropped = true;
    log = emptyLog();
    if (!dropped) logs.push(log);
  };
  const onLine = (line: Line): void => {
    const { text } = line;
    const parsed = text.includes("Error") || text.includes("Warn") ? parseLogLine(text) : undefined;
    if (parsed !== undefined) {
      anything = true;
      if (parsed.level === "Warn") return warn(log, parsed);
      // A new run's, where the lines of its beginning were left out.
      if (log.ended === "badly" && !isTrailer(parsed)) begin();
      return err(log, parsed, line);
    }
    const version = /Version: (\d+\.\d[\d.]*)/.exec(text)?.[1];
    if (version !== undefined) {
      if (log.version !== undefined || log.cause !== undefined) begin();
      log.version = version;
      anything = true;
    }
    const way = wayOf(text);
    if (way !== undefined) {
      log.way ??= way;
      anything = true;
      if (text.includes("finished successfully")) log.ended = "well";
    }
    if (stamped.test(text)) anything = true;
    else if (version === undefined && way === undefined && (foreign += 1) <= FOREIGN) listen(text);
  };
  const listen = (text: string): void => {
    const id = /\b(?:blocker|warning)\[([a-z0-9-]+)\]: /.exec(text)?.[1];
    if (id !== undefined && refused.size < REFUSED) refused.add(id);
    named ??= logNamed(text);
    // A program that calls it an error marks where the message begins.
    const [, error, rest] = /^(?:(?!error|fatal)\w+: )?((?:error|fatal): )?(.*)$/is.exec(
      text.trim(),
    )!;
    const begins = words || error !== undefined;
    const known =
      (begins ? explain(rest!, { way: log.way }) : undefined) ??
      explain(text.trim(), { loose: true, way: log.way });
    // CRIU's own words say more than those of the program that ran it.
    if (
      known !== undefined &&
      (said === undefined || (said.by === "runtime" && known.by === "criu"))
    )
      said = known;
  };

  const reader = lineReader(onLine);
  let fed = 0;
  let binary = false;
  return {
    feed(chunk) {
      reader.feed(chunk);
      fed += chunk.length;
      binary ||= chunk.includes(0);
      return anything || said !== undefined || !binary || fed < BINARY;
    },
    end() {
      const { lines, last } = reader.end();
      if (isHang(last)) {
        log.explanation ??= explain(HANG);
        anything = true;
      }
      for (const each of logs) conclude(each);
      const told = logs.filter(
        ({ cause, explanation, warnings }) => cause ?? explanation ?? warnings[0],
      );
      const first = told.find(({ cause }) => cause !== undefined) ?? told[0] ?? log;
      return {
        ...first,
        others: told.filter((each) => each !== first),
        said: first.cause === undefined ? said : undefined,
        named,
        refused: [...refused],
        kind:
          anything || refused.size > 0 ? "log" : (said ?? named) === undefined ? "none" : "words",
        succeeded: first.cause === undefined && first.ended === "well",
        lines,
      };
    },
  };
}

const emptyLog = (): Log => ({
  version: undefined,
  way: undefined,
  ended: undefined,
  cause: undefined,
  explanation: undefined,
  later: undefined,
  warnings: [],
  before: [],
  after: [],
});

const stamped = /^\(\d+\.\d+\)|^\s*pie: \d+: /;

function wayOf(text: string): Way | undefined {
  const word = /\b(Restor|(?:Pre-d|D)ump)(?:ing (?:FAILED|processes|finished)|e finished)/.exec(
    text,
  )?.[1];
  return word === undefined ? undefined : word === "Restor" ? "restore" : "dump";
}

function warn(log: Log, { message, file }: LogLine): void {
  if (log.warnings.length === WARNINGS) return;
  const known = explain(message, { file, way: log.way });
  if (known?.warning === true && !log.warnings.some(({ cause }) => cause === known.cause))
    log.warnings.push(known);
}

function err(log: Log, parsed: LogLine, line: Line): void {
  const way = wayOf(parsed.message);
  if (way !== undefined) {
    log.way = way;
    log.ended = "badly";
  }
  const weak = isTrailer(parsed) && !isDeath(parsed);
  if (log.cause === undefined && !weak) {
    log.cause = parsed;
    log.before = line.before();
  } else if (log.after.length < AFTER && log.cause !== undefined) log.after.push(line.text);
}

/** What it means is known only when it is known what CRIU was doing, at the end. */
function conclude(log: Log): void {
  const { cause, after } = log;
  if (cause === undefined) return;
  const way = log.way ?? (cause.file.endsWith("cr-check.c") ? "check" : undefined);
  log.explanation = explain(cause.message, { file: cause.file, way });
  if (log.explanation !== undefined) return;
  for (const text of after) {
    const next = parseLogLine(text);
    if (next === undefined || isTrailer(next)) continue;
    log.later = explain(next.message, { file: next.file, way });
    if (log.later !== undefined) return;
  }
}

function isHang(last: readonly string[]): boolean {
  return last.length >= 4 && last.every((text) => /Preadv|returned 0$/.test(text.trimEnd()));
}

/** What ids in a message stand for, by the images: `id 0x4d` is a file, a pid is a task. */
export function aboutOf(checkpoint: Checkpoint, cause: LogLine): string[] {
  const about: string[] = [];
  const task = checkpoint.tasks.find(({ pid }) => pid === cause.pid);
  if (task !== undefined)
    about.push(`task ${task.pid}: ${task.core?.thread_core?.comm ?? task.core?.tc?.comm ?? "?"}`);
  for (const [, id] of cause.message.matchAll(/\bid:?[ =](0x[0-9a-f]+|\d+)\b/g)) {
    const file = checkpoint.openFiles.get(Number(id));
    const name = file?.reg?.name ?? (file?.usk && socketName(file.usk.name));
    if (name) about.push(`id ${id}: ${name}`);
  }
  return about;
}

const socketName = (name: Bytes): string =>
  fromBytes(name).replace(/^\0/, "@").replace(/\0.*$/s, "");
