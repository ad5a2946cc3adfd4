/**
 * What recriu changes on this machine is written down before it is done, so that a killed recriu can be undone later
 * (`recriu undo`). One file a run, JSON lines, locked by its writer as long as that lives.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "../sys/path.ts";
import { openDirectory, lockExclusive } from "../sys/files.ts";

/**
 * mkdir: a directory that recriu is about to make (`inode` absent) or has made. socket, cgroup, ghost: what was not there before
 * CRIU began and what CRIU makes. scratch: a directory in which CRIU makes temporary ones, and those `known` before. shadow: a shadow
 * of the images, named `path` in `root`. tree: the restored tree of the images `path` exists, its root process `pid` since
 * `started`. Other paths are inside the host directory `root`.
 */
export interface Step {
  action: "mkdir" | "socket" | "cgroup" | "ghost" | "scratch" | "shadow" | "tree";
  root: string;
  path: string;
  inode?: string;
  known?: string[];
  pid?: number;
  started?: string;
}

export interface Journal {
  readonly file: string;
  write(step: Step): void;
  /** Forget the run: its changes stay, or were undone. */
  remove(): void;
}

/** Where journals are: /run is empty after a boot, as is what they speak of; a caller who is not root has a directory of his own. */
export function stateDirectory(): string {
  const runtime = process.env.XDG_RUNTIME_DIR;
  return process.geteuid?.() === 0 || !runtime ? "/run/recriu" : join(runtime, "recriu");
}

/** Make the state directory, and refuse one that somebody else could write to. */
function openState(): string {
  const directory = stateDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const fd = openDirectory(directory);
  if (fd < 0) throw new JournalError(`${directory} cannot be opened`);
  try {
    if (fstatSync(fd).uid !== process.geteuid?.())
      throw new JournalError(`${directory} belongs to somebody else`);
    fchmodSync(fd, 0o700);
  } finally {
    closeSync(fd);
  }
  return directory;
}

export class JournalError extends Error {}

/** Begin the journal of this run. Throws JournalError, or what node:fs throws, when it cannot be kept: then nothing may be changed. */
export function beginJournal(images: string): Journal {
  const file = join(openState(), `${process.pid}-${Date.now()}.journal`);
  const unlocked = `${file}.new`;
  const fd = openSync(
    unlocked,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  lockExclusive(fd);
  // Under its name nobody ever sees it without its lock.
  renameSync(unlocked, file);
  const write = (line: object) => void writeSync(fd, `${JSON.stringify(line)}\n`);
  write({ images, pid: process.pid });
  return {
    file,
    write,
    remove() {
      unlinkSync(file);
      closeSync(fd);
    },
  };
}

/** A journal that its writer, now dead, left behind. */
export interface LeftJournal {
  file: string;
  images: string;
  steps: Step[];
  remove(): void;
  /** Leave it for another time. */
  close(): void;
}

/** Every journal whose writer is dead. A line that was cut short by the death is the last, and was not acted on. */
export function leftJournals(): LeftJournal[] {
  const directory = stateDirectory();
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith(".journal"));
  } catch {
    return []; // no state directory: nothing was ever left
  }
  return names.flatMap((name) => {
    const file = join(directory, name);
    let fd: number;
    try {
      fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      return []; // its writer has just removed it
    }
    if (lockExclusive(fd) < 0) {
      closeSync(fd);
      return [];
    }
    const lines = readFileSync(fd, "utf8").split("\n").slice(0, -1);
    const [head, ...steps] = lines.map((line) => JSON.parse(line) as unknown);
    return [
      {
        file,
        images: (head as { images: string } | undefined)?.images ?? "",
        steps: steps as Step[],
        remove() {
          unlinkSync(file);
          closeSync(fd);
        },
        close: () => closeSync(fd),
      },
    ];
  });
}
