/**
 * Why restores were refused or failed, kept where it outlives the task: under Docker and containerd CRIU's log is deleted with
 * that. One file of JSON lines that only root can read, and the one before it.
 */
import { countOf } from "../checks/grouped.ts";
import type { Finding } from "../checks/index.ts";
import { closeSync, constants, fstatSync, readFileSync, renameSync } from "node:fs";
import { ENOENT } from "../sys/errno.ts";
import { createEntry, handle, lockExclusive, openEntry } from "../sys/files.ts";
import { writeAll } from "../sys/own-file.ts";
import { notOurs, openPrivate } from "../sys/private-directory.ts";
import { logToSystem } from "../sys/syslog.ts";
import { captured, harmless } from "./terminal.ts";

/** `by`: what was called; `images`, `log`: the paths it was asked with, which may be gone; `text`: all that was said. */
export interface Reason {
  time: string;
  by: string;
  images: string;
  log: string | null;
  cause: string;
  text: string;
}

/** RECRIU_LOG_DIR: another directory, or none where it is empty. */
const directory = (): string => process.env.RECRIU_LOG_DIR ?? "/var/log/recriu";
const NAME = "restores.log";
const OLDER = `${NAME}.1`;
/** Bytes of a file before it becomes the older one, and of one reason's text. */
const LARGEST = 1 << 20;
const LONGEST = 1 << 16;

/**
 * Keep a reason, and say what `print` says of it as a block for CRIU's log. It begins with a line in CRIU's form, since some
 * runtimes show nothing but those.
 */
export function reasonBlock(
  reason: Pick<Reason, "by" | "images" | "cause"> & { log: string | undefined },
  print: () => void,
): string {
  const text = captured(print);
  const cause = harmless(reason.cause);
  return `(00.000000) Error (recriu): ${cause}${keepReason({ ...reason, text })}\n${text}`;
}

/** One line for logs: what blocks. */
export function causeOf(blockers: readonly Finding[]): string {
  const [first] = blockers;
  const others = countOf(blockers) - 1;
  const more = others === 0 ? "" : ` (and ${others} more)`;
  return `the restore is blocked: ${first!.message} [${first!.id}]${more}; nothing was touched`;
}

/** Returns where it is shown again, to be said behind the cause; "" where nothing could be kept. */
export function keepReason(
  reason: Pick<Reason, "by" | "images" | "cause" | "text"> & { log: string | undefined },
): string {
  if (directory() === "") return "";
  const { by, images, log = null, cause, text } = reason;
  const time = new Date().toISOString();
  logToSystem(`${by}: ${harmless(cause)}`);
  const line = JSON.stringify({ time, by, images, log, cause, text: text.slice(0, LONGEST) });
  return append(Buffer.from(`${line}\n`)) ? "; recriu last shows it" : "";
}

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;

function append(line: Buffer): boolean {
  if (process.geteuid!() !== 0) return false;
  let at: number | undefined;
  let fd = -1;
  try {
    at = openPrivate(directory(), { make: true, named: true })!;
    fd = createEntry(at, NAME, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o600);
    if (fd < 0) return false;
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.nlink !== 1 || notOurs(stat) !== undefined) return false;
    writeAll(fd, line);
    // Of two that find it full the one that has the lock renames it.
    if (stat.size > LARGEST && lockExclusive(fd) >= 0)
      renameSync(`${handle(at)}/${NAME}`, `${handle(at)}/${OLDER}`);
    return true;
  } catch {
    return false; // no /var/log, a full disk
  } finally {
    if (fd >= 0) closeSync(fd);
    if (at !== undefined) closeSync(at);
  }
}

/** The reasons that are kept, oldest first; or why they cannot be read. A line that is none is left out. */
export function keptReasons(): { ok: true; reasons: Reason[] } | { ok: false; problem: string } {
  let at: number | undefined;
  try {
    at = openPrivate(directory(), { make: false, named: true });
    if (at === undefined) return { ok: true, reasons: [] };
    const directoryFd = at;
    return { ok: true, reasons: [OLDER, NAME].flatMap((name) => readReasons(directoryFd, name)) };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  } finally {
    if (at !== undefined) closeSync(at);
  }
}

function readReasons(at: number, name: string): Reason[] {
  const fd = openEntry(at, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd === -ENOENT) return [];
  if (fd < 0) throw new Error(`${directory()}/${name} cannot be opened`);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${directory()}/${name} is no file`);
    return readFileSync(fd, "utf8").split("\n").flatMap(reasonOf);
  } finally {
    closeSync(fd);
  }
}

function reasonOf(line: string): Reason[] {
  try {
    const reason = JSON.parse(line) as Reason;
    const texts = [reason.time, reason.by, reason.images, reason.cause, reason.text];
    return texts.every((each) => typeof each === "string") ? [reason] : [];
  } catch {
    return [];
  }
}
