/** Single files of this machine, by path: what stands there, whether it may be used, its first bytes. */
import { OTHERS_WRITE } from "../sys/linux.ts";
import { closeSync, readlinkSync, readSync, type Stats, statSync } from "node:fs";
import { statAt } from "../sys/look.ts";
import { librariesOf } from "./elf.ts";
import { dirname } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";

/**
 * What stands at a path itself: a link is not followed, so one that leads nowhere is there too. Undefined also where that
 * cannot be seen: `access` tells the user of the path so.
 */
export const entryAt = (path: string): Stats | undefined => seen(statAt(path, false));

const seen = (found: Stats | number): Stats | undefined =>
  typeof found === "number" ? undefined : found;

/** At most `length` bytes from `offset` of a regular file; undefined when it cannot be read. */
export function bytesOf(path: string, offset: number, length: number): Uint8Array | undefined {
  const opened = openRegular(path);
  if (!opened.ok) return undefined;
  const { fd } = opened;
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** Names of the libraries that a program asks for; none when it cannot be read. */
export function librariesAt(path: string): readonly string[] {
  const opened = openRegular(path);
  if (!opened.ok) return [];
  try {
    return librariesOf(opened.fd);
  } catch {
    return [];
  } finally {
    closeSync(opened.fd);
  }
}

/**
 * What a user of this machine has put in the place of a file, in words, where to write to the file would be to write
 * elsewhere, or to wait: a link, another file's second name, no regular file at all. Undefined: nothing, or root alone can have.
 */
export function plantedAt(path: string): string | undefined {
  const ours = (uid: number) => uid === 0 || uid === process.geteuid!();
  const directory = seen(statAt(dirname(path)));
  const entry = entryAt(path);
  if (directory === undefined || entry === undefined || entry.isDirectory()) return undefined;
  const closed = ours(directory.uid) && (directory.mode & OTHERS_WRITE) === 0;
  if (closed || (entry.isSymbolicLink() && ours(entry.uid) && ours(directory.uid)))
    return undefined;
  if (entry.isSymbolicLink()) return `a link of uid ${entry.uid} to ${readlinkSync(path)}`;
  if (!entry.isFile()) return `no regular file, of uid ${entry.uid}`;
  return entry.nlink > 1 ? `a file of uid ${entry.uid} that has other names, too` : undefined;
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
