/** Single files of this machine, by path: what stands there, whether it may be used, its first bytes. */
import { closeSync, constants, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { toBytes } from "../sys/text.ts";

/** node:fs would write bytes that are not UTF-8 otherwise. */
const bytesOfPath = (path: string) => Buffer.from(toBytes(path));

/** What stands at a path itself: a link is not followed, so one that leads nowhere is there too. */
export function entryAt(path: string): Stats | undefined {
  return lstatSync(bytesOfPath(path), { throwIfNoEntry: false });
}

/** At most `length` bytes from `offset` of a regular file; undefined when it cannot be read. */
export function bytesOf(path: string, offset: number, length: number): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(bytesOfPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
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
