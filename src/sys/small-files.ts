/**
 * Small files and links read thousands of times, those of /proc above all: one buffer for all of them, no object and no
 * path made for each. What node:fs does on top takes half as long again as the kernel.
 */
import { constants } from "node:fs";
import { ptr } from "bun:ffi";
import { libc } from "./libc.ts";

/** Paths are looked up from the working directory: openat(2). */
export const AT_FDCWD = -100;
const O_PATH = 0x200000;
const O_CLOEXEC = 0x80000;

const encoder = new TextEncoder();
const name = Buffer.alloc(4096);
let space = Buffer.alloc(64 * 1024);

/** `path` as a C string in `name`; false when it does not fit. */
function named(path: string): boolean {
  const { read, written } = encoder.encodeInto(path, name);
  if (read < path.length || written >= name.length) return false;
  name[written] = 0;
  return true;
}

/** The text of the file at `path` below the directory `dir`; undefined when it is not there or cannot be read at once. */
export function readAt(dir: number, path: string): string | undefined {
  if (!named(path)) return undefined;
  const c = libc();
  const fd = c.openat(
    dir,
    ptr(name),
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC,
    0,
  );
  if (fd < 0) return undefined;
  let length = 0;
  let got = 0;
  // A file of /proc comes in pieces of whole lines: only nothing is its end.
  do {
    if (length === space.length) space = Buffer.concat([space, Buffer.alloc(space.length)]);
    got = c.read(fd, ptr(space, length), space.length - length);
    length += Math.max(got, 0);
  } while (got > 0);
  c.close(fd);
  return got < 0 ? undefined : space.toString("utf8", 0, length);
}

/** Where the link at `path` below the directory `dir` leads; undefined when it cannot be told. readlinkat(2). */
export function linkAt(dir: number, path: string): string | undefined {
  if (!named(path)) return undefined;
  const length = libc().readlinkat(dir, ptr(name), ptr(space), space.length);
  return length < 0 ? undefined : space.toString("utf8", 0, length);
}

/** A handle on a directory, for the others of these to start from; below 0 where there is none to be had. */
export function handleOn(path: string): number {
  return named(path)
    ? libc().openat(AT_FDCWD, ptr(name), O_PATH | constants.O_DIRECTORY | O_CLOEXEC, 0)
    : -1;
}

export const closeHandle = (fd: number): void => void libc().close(fd);
