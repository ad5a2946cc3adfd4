/** A whole log to the first line that is a cause, and what it is about. */
import { type LogLine, parseLogLine, isTrailer } from "../criu/log.ts";
import type { Checkpoint } from "../image/index.ts";
import { type Bytes, fromBytes } from "../sys/text.ts";
import { type Explanation, explain } from "./index.ts";

export interface LogReport {
  /** CRIU's version, as the log names it. */
  version: string | undefined;
  /** The first error that is no mere consequence; undefined where there is none. */
  cause: LogLine | undefined;
  /** Of that line, or of the first that something is known of. */
  explanation: Explanation | undefined;
  /** Lines before the cause, and the errors after it. */
  before: readonly string[];
  after: readonly string[];
  /** The log ends with success. */
  succeeded: boolean;
  lines: number;
}

const BEFORE = 5;
const AFTER = 10;
/** Reads of nothing, one after the other, after which CRIU hangs. */
const READS_OF_NOTHING = 3;
const HANG = "Preadv returned 0";

/** Read a log line by line; what is kept does not grow with it. */
export function readLog(lines: Iterable<string>): LogReport {
  const recent: string[] = [];
  const report = { version: undefined as string | undefined, succeeded: false, lines: 0 };
  let cause: LogLine | undefined;
  let explanation: Explanation | undefined;
  let before: string[] = [];
  const after: string[] = [];
  let nothing = 0;
  for (const text of lines) {
    report.lines += 1;
    if (text.includes("returned 0")) nothing += 1;
    else if (text !== "" && !text.includes("Preadv")) nothing = 0;
    report.version ??= /Version: (\d+\.\d[\d.]*)/.exec(text)?.[1];
    if (text.includes("Restore finished successfully")) report.succeeded = true;
    const parsed = text.includes("Error") ? parseLogLine(text) : undefined;
    if (parsed?.level === "Error" && !isTrailer(parsed)) {
      if (cause === undefined) {
        cause = parsed;
        before = [...recent];
      } else if (after.length < AFTER) after.push(text);
      explanation ??= explain(parsed.message);
    }
    recent.push(text);
    if (recent.length > BEFORE) recent.shift();
  }
  if (cause === undefined && nothing >= READS_OF_NOTHING) explanation = explain(HANG);
  return { ...report, cause, explanation, before, after };
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
