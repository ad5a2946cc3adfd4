/**
 * Small files, links and directories read thousands of times, those of /proc above all: one buffer for all of them, no
 * object and no path made for each. What node:fs does on top takes half as long again as the kernel; and to load
 * it takes a millisecond, where recriu has seven to become CRIU in.
 */
import { ENAMETOOLONG } from "./errno.ts";
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
} from "./linux.ts";
import { ptr } from "bun:ffi";
import { cPath } from "./c-path.ts";
import { call, errno, libc } from "./libc.ts";
import { fromBytes } from "./text.ts";

const SYS_getdents64 = process.arch === "x64" ? 217n : 61n;
const DT_REG = 8;
const BEYOND_ASCII = /[\x80-\xff]/;

let space = Buffer.alloc(64 * 1024);

/** Fill `space` with the file at `path`: its length, or -errno when it is not there or cannot be read at once. */
function load(dir: number, path: string): number {
  const name = cPath(path);
  if (name === undefined) return -ENAMETOOLONG;
  const flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const c = libc();
  const fd = c.openat(dir, name, flags, 0);
  if (fd < 0) return -errno();
  let length = 0;
  let got = 0;
  // A file of /proc comes in pieces of whole lines: only nothing is its end.
  do {
    if (length === space.length) space = Buffer.concat([space, Buffer.alloc(space.length)]);
    got = c.read(fd, ptr(space, length), space.length - length);
    length += Math.max(got, 0);
  } while (got > 0);
  const result = got < 0 ? -errno() : length;
  c.close(fd);
  return result;
}

/** What stands in `space`; bytes that are not UTF-8 are kept, which takes longer. */
function textOf(from: number, to: number): string {
  const text = space.toString("utf8", from, to);
  return text.includes("\ufffd") ? fromBytes(space.subarray(from, to)) : text;
}

/** The text of the file at `path` below the directory `dir`; undefined when it is not there or cannot be read at once. */
export function readAt(dir: number, path: string): string | undefined {
  const length = load(dir, path);
  return length < 0 ? undefined : textOf(0, length);
}

/** Its bytes, or -errno. */
export function bytesAt(dir: number, path: string): Buffer | number {
  const length = load(dir, path);
  return length < 0 ? length : Buffer.from(space.subarray(0, length));
}

/** Bytes of a small file, kept side by side: forked tasks have thousands of images of some hundred. */
const SMALL = 4096;
const SHELF = 64 * 1024;
let shelf = Buffer.alloc(0);
let taken = SHELF;

/** A directory to read thousands of files in: from there the kernel walks no path for each. */
interface Stand {
  readonly path: string;
  readonly fd: number;
}

let stand: Stand | undefined;

/** Stand in the directory at `path`, and no longer in the one before: one handle is kept. */
export function standIn(path: string): Stand {
  if (stand !== undefined && stand.fd >= 0) closeHandle(stand.fd);
  return (stand = { path, fd: handleOn(path) });
}

/**
 * The bytes of a file of at most 4 KiB in a directory that was just listed with it as a regular file. Of what is
 * empty, or larger, a descriptor, for the caller to look at and close; undefined where it is a link, or not to be had.
 * Whoever may exchange it meanwhile can put there only what is theirs: nothing is waited for, and no FIFO is read from.
 */
export function smallFile(where: Stand, file: string): Uint8Array | number | undefined {
  const at = where === stand && where.fd >= 0 ? where.fd : AT_FDCWD;
  const name = cPath(at === AT_FDCWD ? `${where.path}/${file}` : file);
  if (name === undefined) return undefined;
  const c = libc();
  const fd = c.openat(at, name, O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0) return undefined;
  if (taken + SMALL >= SHELF) [shelf, taken] = [Buffer.allocUnsafeSlow(SHELF), 0];
  // One more is asked for: less is all that there is. pread(2) fails where there is no place to read from.
  const got = c.pread(fd, ptr(shelf, taken), SMALL + 1, 0);
  if (got === 0 || got > SMALL) return fd;
  c.close(fd);
  if (got < 0) return undefined;
  const bytes = shelf.subarray(taken, taken + got);
  taken += got;
  return bytes;
}

/** The names in the directory at `path` below the directory `dir`; undefined when it cannot be read. */
export function namesAt(dir: number, path: string): string[] | undefined {
  const names: string[] = [];
  return listAt(dir, path, (entry) => names.push(entry)) < 0 ? undefined : names;
}

/**
 * Tell each name in the directory at `path` below the directory `dir`, and whether it is known to be a regular file: 0, or
 * -errno where it cannot be read to its end. getdents64(2). `tell` reads nothing by this module: there is one buffer.
 */
export function listAt(
  dir: number,
  path: string,
  tell: (name: string, regular: boolean) => void,
): number {
  const name = cPath(path);
  if (name === undefined) return -ENAMETOOLONG;
  const fd = call((c) => c.openat(dir, name, O_DIRECTORY | O_CLOEXEC, 0));
  if (fd < 0) return fd;
  const [from, room] = [BigInt(ptr(space)), BigInt(space.length)];
  for (;;) {
    const length = call((c) => c.syscall(SYS_getdents64, BigInt(fd), from, room, 0n, 0n, 0n));
    if (length <= 0) {
      closeHandle(fd);
      return length;
    }
    // All of it at once, where each byte is a letter.
    const letters = space.toString("latin1", 0, length);
    // struct linux_dirent64: inode, offset, then the record's length, a type and the name, which ends in a NUL.
    for (let at = 0; at < length; at += space.readUInt16LE(at + 16)) {
      const end = letters.indexOf("\0", at + 19);
      const plain = letters.slice(at + 19, end);
      const entry = BEYOND_ASCII.test(plain) ? textOf(at + 19, end) : plain;
      if (entry !== "." && entry !== "..") tell(entry, space[at + 18] === DT_REG);
    }
  }
}

/** Where the link at `path` below the directory `dir` leads; undefined when it cannot be told. readlinkat(2). */
export function linkAt(dir: number, path: string): string | undefined {
  const name = cPath(path);
  if (name === undefined) return undefined;
  const length = libc().readlinkat(dir, name, ptr(space), space.length);
  return length < 0 ? undefined : textOf(0, length);
}

/** A handle on a directory, for the others of these to start from; below 0 where there is none to be had. */
export function handleOn(path: string): number {
  const name = cPath(path);
  if (name === undefined) return -1;
  return libc().openat(AT_FDCWD, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

export const closeHandle = (fd: number): void => void libc().close(fd);
