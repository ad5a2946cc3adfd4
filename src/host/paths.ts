/** Single files of this machine, by path: what stands there, whether it may be used, its first bytes. */
import { closeSync, constants, lstatSync, openSync, readSync, statSync, type Stats } from "node:fs";

/** What stands at a path itself: a link is not followed, so one that leads nowhere is there too. */
export function entryAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** At most `length` bytes from `offset` of a regular file; undefined when it cannot be read. */
export function bytesOf(path: string, offset: number, length: number): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** Device and inode number of what a path leads to, links followed, those of /proc/PID/ns too; undefined when nowhere. */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
