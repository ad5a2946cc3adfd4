/** A directory of this process's own for what is not to stay, locked as long as it is used. */
import {
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { lockExclusive } from "./files.ts";
import { safePlace } from "./own-file.ts";
import { join } from "./path.ts";

const PREFIX = "recriu-archive-";
const PRIVATE = 0o700;
const TRIES = 8;

/**
 * A new one among temporary files, where no other user can put anything in its place. What a killed process left is
 * removed first. Throws what node:fs throws (a full disk), and where there is no such place.
 */
export function privateDirectory(): { path: string; release(): void } {
  const place = safePlace([tmpdir(), "/tmp", "/run"]);
  removeLeft(place);
  // Between its making and its lock another one may take it for left.
  for (let tries = 0; tries < TRIES; tries += 1) {
    const path = mkdtempSync(join(place, PREFIX));
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
function removeLeft(place: string): void {
  try {
    for (const name of readdirSync(place)) {
      if (!name.startsWith(PREFIX)) continue;
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
