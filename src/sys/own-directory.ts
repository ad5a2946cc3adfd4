/** A directory of this process's own for what is not to stay, locked as long as it is used. */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { handle, lockExclusive, rmdirat } from "./files.ts";
import { safePlace } from "./own-file.ts";
import { basename, dirname, join } from "./path.ts";
import { openPrivate } from "./private-directory.ts";
import { walkNamed } from "./walk.ts";

const PRIVATE = 0o700;
const TRIES = 8;

/** Where page data has room; made where it is not there. */
const LASTING = "/var/lib/recriu";

interface OwnDirectory {
  readonly path: string;
  release(): void;
}

/**
 * A new one among temporary files, where no other user can put anything in its place. What a killed process left is
 * removed first. Throws what node:fs throws (a full disk), and where there is no such place.
 */
export const privateDirectory = (): OwnDirectory =>
  newIn(safePlace([tmpdir(), "/tmp", "/run"]), "recriu-archive-");

/**
 * The same for what is large, on a disk: temporary files are often kept in memory. The place goes with the last one in it.
 */
export function roomyDirectory(): OwnDirectory {
  for (let tries = 1; ; tries += 1) {
    closeSync(openPrivate(LASTING, { make: true })!);
    try {
      const { path, release } = newIn(safePlace([LASTING]), "unpacked-");
      return {
        path,
        release() {
          release();
          removeEmptyPlace();
        },
      };
    } catch (error) {
      // Another process has just removed the place behind its own.
      if (tries === TRIES || existsSync(LASTING)) throw error;
    }
  }
}

/** Where something is in the place, it stays. */
function removeEmptyPlace(): void {
  const way = walkNamed(dirname(LASTING), { named: false });
  if (!way.ok) return;
  rmdirat(way.fd, basename(LASTING));
  closeSync(way.fd);
}

/**
 * A directory that was asked for: made in a directory that is there, else an empty one of this user's, in a place where no other user
 * can put another one. By its path without links. Throws why it cannot be had.
 */
export function ownDirectoryAt(path: string): string {
  const own = join(safePlace([dirname(path)]), basename(path));
  const fd = openPrivate(own, { make: true })!;
  try {
    if (readdirSync(handle(fd)).length > 0) throw new Error(`${path}: it is not empty`);
  } finally {
    closeSync(fd);
  }
  return own;
}

function newIn(place: string, prefix: string): OwnDirectory {
  removeLeft(place, prefix);
  // Between its making and its lock another one may take it for left.
  for (let tries = 0; tries < TRIES; tries += 1) {
    const path = mkdtempSync(join(place, prefix));
    const lock = lockOf(path);
    if (lock !== undefined) return { path, release: () => closeSync(lock) };
    rmSync(path, { recursive: true, force: true });
  }
  throw new Error(`no directory in ${place} can be locked (flock(2))`);
}

/** The lock of a directory of ours that has no other owner; undefined where it has, or is gone. */
function lockOf(path: string): number | undefined {
  let fd: number;
  try {
    const { uid, mode } = lstatSync(path);
    if (uid !== process.geteuid!() || (mode & 0o777) !== PRIVATE) return undefined;
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  if (lockExclusive(fd) >= 0 && isThere(path)) return fd;
  closeSync(fd);
  return undefined;
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Remove the directories without an owner; one that cannot be removed stays, and keeps no run from its work. */
function removeLeft(place: string, prefix: string): void {
  try {
    for (const name of readdirSync(place)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(place, name);
      const lock = lockOf(path);
      if (lock === undefined) continue;
      rmSync(path, { recursive: true, force: true });
      closeSync(lock);
    }
  } catch {
    // A place that cannot be read: its names cannot be known.
  }
}
