/**
 * What recriu changes on this machine is written down before it is done, so that a killed recriu can be undone later
 * (`recriu undo`). One file a run, JSON lines, locked by its writer as long as that lives.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { ENOENT, errorText } from "../sys/errno.ts";
import { handle, lockExclusive, openEntry } from "../sys/files.ts";
import { writeAll } from "../sys/own-file.ts";
import { join } from "../sys/path.ts";
import { notOurs, openPrivate } from "../sys/private-directory.ts";
import { parseJournal, type Step, type Written } from "./step.ts";

export interface Journal {
  readonly file: string;
  /** Throws when not all of it could be written; then nothing may be changed. */
  write(step: Step): void;
  /** Forget the run: its changes stay, or were undone. */
  remove(): void;
}

/** Where journals are: /run is empty after a boot, as is what they speak of; a caller other than root has a directory of its own. */
export function stateDirectory(): string {
  const runtime = process.env.XDG_RUNTIME_DIR;
  return process.geteuid?.() === 0 || !runtime ? "/run/recriu" : join(runtime, "recriu");
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
/** Of a journal; a real one has a few hundred bytes a socket. */
const LARGEST = 64 << 20;
/** Milliseconds after which a journal without its name has no writer that is about to lock it. */
const BORN_DEAD = 60_000;

export class JournalError extends Error {}

/**
 * The state directory (O_PATH), which only this user can write to; undefined when it is not there and not to be made.
 * Throws JournalError.
 */
function openState(make: boolean): number | undefined {
  try {
    return openPrivate(stateDirectory(), { make });
  } catch (error) {
    throw new JournalError((error as Error).message);
  }
}

/** Begin the journal of this run. Throws JournalError, or what node:fs throws, when it cannot be kept: then nothing may be changed. */
export function beginJournal(images: string): Journal {
  const state = openState(true)!;
  const name = `${process.pid}-${Date.now()}.journal`;
  const file = `${handle(state)}/${name}`;
  const unlocked = `${file}.new`;
  let fd: number | undefined;
  const write = (line: object) => writeAll(fd!, Buffer.from(`${JSON.stringify(line)}\n`));
  try {
    fd = openSync(unlocked, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    lockExclusive(fd);
    write({ images, pid: process.pid });
    // Under its name it always has its lock and its first line.
    renameSync(unlocked, file);
  } catch (error) {
    if (fd !== undefined) {
      unlinkSync(unlocked);
      closeSync(fd);
    }
    closeSync(state);
    throw error;
  }
  return {
    file: join(stateDirectory(), name),
    write,
    remove() {
      unlinkSync(file);
      closeSync(fd);
      closeSync(state);
    },
  };
}

/** A journal that its writer, now dead, left behind: what is written in it as far as it can be read. */
interface LeftJournal extends Written {
  file: string;
  remove(): void;
  /** Rename it, so that it is read as a journal no more. Returns its new path; null when it stays. */
  quarantine(): string | null;
  /** Leave it for another time. */
  close(): void;
}

/**
 * Every journal that a dead recriu left. One that is none, or whose line cannot be understood, has a `problem`. Throws
 * JournalError when nothing in the state directory can be believed.
 */
export function leftJournals(): LeftJournal[] {
  const state = openState(false);
  if (state === undefined) return []; // nothing was ever left
  try {
    return readdirSync(handle(state)).flatMap((name) => {
      if (name.endsWith(".journal.new")) removeUnborn(state, name);
      return name.endsWith(".journal") ? (openLeft(state, name) ?? []) : [];
    });
  } finally {
    closeSync(state);
  }
}

const READ = O_RDONLY | O_NONBLOCK | O_NOCTTY;

function openLeft(state: number, name: string): LeftJournal | undefined {
  const file = join(stateDirectory(), name);
  const fd = openEntry(state, name, READ);
  if (fd === -ENOENT) return undefined; // its writer has just removed it
  const close = () => {
    if (fd >= 0) closeSync(fd);
  };
  const left = (written: Written): LeftJournal => ({
    file,
    ...written,
    remove() {
      rmSync(file, { force: true });
      close();
    },
    quarantine() {
      const kept = `${file}.${Date.now()}.bad`;
      try {
        renameSync(file, kept);
        return kept;
      } catch {
        return null; // a read-only /run
      } finally {
        close();
      }
    },
    close,
  });
  const unreadable = (problem: string) => left({ images: "", steps: [], problem });
  if (fd < 0) return unreadable(`it is a link, or cannot be opened: ${errorText(fd)}`);
  const stat = fstatSync(fd);
  if (!stat.isFile()) return unreadable("it is no regular file");
  const strange = notOurs(stat) ?? (stat.nlink === 1 ? undefined : "it has other names, too");
  if (strange !== undefined) return unreadable(strange);
  if (stat.size > LARGEST) return unreadable("it is larger than any journal");
  if (lockExclusive(fd) < 0) {
    close();
    return undefined; // its writer lives
  }
  try {
    return left(parseJournal(readFileSync(fd, "utf8")));
  } catch (error) {
    return unreadable((error as Error).message);
  }
}

/** A writer that was killed before it gave its journal a name has changed nothing. */
function removeUnborn(state: number, name: string): void {
  const fd = openEntry(state, name, READ);
  if (fd < 0) return;
  const { mtimeMs } = fstatSync(fd);
  if (Date.now() - mtimeMs > BORN_DEAD && lockExclusive(fd) >= 0)
    try {
      unlinkSync(`${handle(state)}/${name}`);
    } catch {
      // a directory; it does no harm
    }
  closeSync(fd);
}
