/**
 * CRIU's log. A line is `(SS.UUUUUU) PID: Error (criu/FILE.c:LINE): subsystem: message`; time and pid are missing at low
 * verbosity, and code that runs inside a restored task says `pie: PID:` (criu/log.c).
 */
import { closeSync, readdirSync, readSync, statSync } from "node:fs";
import { LONGEST_LINE } from "../host/lines.ts";
import { dirname, basename } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";
import type { Request } from "./request.ts";

export interface LogLine {
  readonly level: "Error" | "Warn";
  /** Seconds since CRIU began; undefined below verbosity 3. */
  readonly time: number | undefined;
  /** The task that wrote it, by its pid in the images; undefined for CRIU's first process. */
  readonly pid: number | undefined;
  /** `criu/sk-unix.c`; "" where the line names none, as libsoccr's of CRIU 2.9 to 3.0 did, and builds without such places do. */
  readonly file: string;
  /** Undefined where people have left it out, or written another sign for it. */
  readonly line: number | undefined;
  /** `unix`, `mnt`, …; undefined where the message names none. */
  readonly subsystem: string | undefined;
  /** All that follows the source position, the subsystem included. */
  readonly message: string;
}

const shape =
  /^(?:\(([\d.]+)\)?\s?|([\d.]+)\)\s?)?\s*(?:(\d+):\s{1,4})?(?:pie: (?:(\d+): )?)?(Error|Warn)\s*\((?:([^():]+): ?(\d+)|([^():\s]+\.[ch])(?::\w{1,6})?)\): ?(.*)$/s;

/** Without a source; only the time makes it CRIU's. */
const placeless =
  /^(?:\(([\d.]+)\))()\s+(?:(\d+): )?(?:pie: (?:(\d+): )?)?(Error|Warn):()()() (.*)$/s;

/** An error or a warning; undefined for any other line. */
export function parseLogLine(text: string): LogLine | undefined {
  const match = shape.exec(text) ?? placeless.exec(text);
  if (match === null) return undefined;
  // The first bracket is what a selection by mouse leaves out.
  const [, stamp, stampCut, pid, piePid, level, numbered, line, bare = "", rest = ""] = match;
  const time = stamp ?? stampCut;
  const message = rest.trimEnd();
  return {
    level: level === "Error" ? "Error" : "Warn",
    time: time === undefined ? undefined : Number(time),
    pid: (piePid ?? pid) === undefined ? undefined : Number(piePid ?? pid),
    file: numbered || bare,
    line: line ? Number(line) : undefined,
    subsystem: /^([a-z][\w-]*): /.exec(message)?.[1],
    message,
  };
}

/** The error lines of a log, which may be a text or the lines of one. */
export function errorLines(log: string | Iterable<string>): LogLine[] {
  const lines = typeof log === "string" ? log.split("\n") : log;
  const errors: LogLine[] = [];
  for (const line of lines) {
    const parsed = parseLogLine(line);
    if (parsed?.level === "Error") errors.push(parsed);
  }
  return errors;
}

/** The last line of a log file that is not empty; undefined where there is none, or none that can be read. */
export function lastLineOf(path: string): string | undefined {
  const opened = openRegular(path);
  if (!opened.ok) return undefined;
  try {
    const end = Buffer.alloc(LONGEST_LINE);
    const from = Math.max(0, opened.stat.size - LONGEST_LINE);
    const read = readSync(opened.fd, end, 0, LONGEST_LINE, from);
    return end.toString("utf8", 0, read).trimEnd().split("\n").at(-1) || undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(opened.fd);
  }
}

/** Log files a request leads to, each with what tells whether CRIU has written it since. None for stderr and stdout. */
export function logFiles({ logFile, logPerPid }: Request): Map<string, string> {
  const files = new Map<string, string>();
  if (logFile === undefined || logFile === "-") return files;
  const note = (path: string) => {
    try {
      const stat = statSync(path, { bigint: true });
      if (stat.isFile()) files.set(path, `${stat.dev}:${stat.ino}:${stat.ctimeNs}`);
    } catch {
      // Not there yet, or not to be looked at: then there is no log of it.
    }
  };
  try {
    note(logFile);
    if (!logPerPid) return files;
    const name = `${basename(logFile)}.`;
    for (const entry of readdirSync(dirname(logFile))) {
      if (entry.startsWith(name) && /^\d+$/.test(entry.slice(name.length))) {
        note(`${dirname(logFile)}/${entry}`);
      }
    }
  } catch {
    // Not to be read: then there is no log of it.
  }
  return files;
}
