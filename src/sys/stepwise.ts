/** What openat2(2) does with RESOLVE_IN_ROOT, for kernels that do not have it (before Linux 5.6). */
import { ELOOP, ENOENT } from "./errno.ts";
import { MOST_LINKS, O_CLOEXEC, O_PATH, PATH_MAX } from "./linux.ts";
import { closeSync, constants } from "node:fs";
import { ptr } from "bun:ffi";
import { call, cString } from "./libc.ts";

const { O_DIRECTORY, O_NOFOLLOW } = constants;
const EINVAL = 22;

/**
 * Open `path` as seen from inside `root`, one name after the other, no link followed by the kernel. `..` goes back
 * to the directory that was come from, which is held open, so that a directory that is moved meanwhile leads nowhere
 * else. Returns a descriptor or -errno.
 */
export function openStepwise(root: number, path: string, flags: number): number {
  if (path === "") return -ENOENT;
  const trail: number[] = [];
  const forget = (length: number) => trail.splice(length).forEach(closeSync);
  const names = namesOf(Buffer.from(cString(path).subarray(0, -1)));
  let links = 0;
  try {
    for (;;) {
      const at = trail.at(-1) ?? root;
      const name = names.shift() ?? ".";
      const last = names.length === 0;
      if (name === "..") {
        forget(Math.max(0, trail.length - 1));
        continue;
      }
      const link = last && flags & O_NOFOLLOW ? -EINVAL : readLink(at, name);
      if (typeof link !== "number") {
        if (++links > MOST_LINKS) return -ELOOP;
        if (link[0] === SLASH) forget(0);
        names.unshift(...namesOf(link));
        continue;
      }
      if (last) return openAt(at, name, path.endsWith("/") ? flags | O_DIRECTORY : flags);
      const next = openAt(at, name, O_PATH | O_DIRECTORY);
      if (next < 0) return next;
      trail.push(next);
    }
  } finally {
    forget(0);
  }
}

const SLASH = 0x2f;

/** Names as strings of bytes (latin1): a path need not be UTF-8. */
const namesOf = (path: Buffer): string[] =>
  path
    .toString("latin1")
    .split("/")
    .filter((name) => name !== "" && name !== ".");

const bytesOf = (name: string): Buffer => Buffer.from(`${name}\0`, "latin1");

function openAt(dir: number, name: string, flags: number): number {
  const bytes = bytesOf(name);
  return call((c) => c.openat(dir, ptr(bytes), flags | O_NOFOLLOW | O_CLOEXEC, 0));
}

/** Where a link points to, or -errno: -EINVAL for what is no link. */
function readLink(dir: number, name: string): Buffer | number {
  const bytes = bytesOf(name);
  const target = Buffer.alloc(PATH_MAX);
  const length = call((c) => c.readlinkat(dir, ptr(bytes), ptr(target), BigInt(PATH_MAX)));
  return length < 0 ? length : target.subarray(0, length);
}
