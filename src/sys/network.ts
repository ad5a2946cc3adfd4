/** Another network namespace, for a look into it: setns(2), of this thread alone, which runs all of recriu's code. */
import { AT_FDCWD, CLONE_NEWNET } from "./linux.ts";
import { constants } from "node:fs";
import { call, cString } from "./libc.ts";
import { ptr } from "bun:ffi";

const SYS_setns = process.arch === "x64" ? 308n : 268n;

const enter = (fd: number): number =>
  call((c) => c.syscall(SYS_setns, BigInt(fd), CLONE_NEWNET, 0n, 0n, 0n, 0n));

/** A descriptor or -errno. */
function openPath(path: string): number {
  const name = cString(path);
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | 0o2000000; // O_CLOEXEC
  return call((c) => c.openat(AT_FDCWD, ptr(name), flags, 0));
}

/**
 * What `look` finds in the network namespace at a path (`/proc/PID/ns/net`, a bind mount of one); undefined where it cannot be
 * entered. `look` must not wait for anything: what runs meanwhile would be there, too.
 */
export function inNetwork<T>(path: string, look: () => T): T | undefined {
  const [before, other] = [openPath("/proc/thread-self/ns/net"), openPath(path)];
  let found: { is: T } | undefined;
  let lost = false;
  try {
    if (before >= 0 && other >= 0 && enter(other) >= 0)
      try {
        found = { is: look() };
      } finally {
        lost = enter(before) < 0;
      }
  } finally {
    for (const fd of [before, other]) if (fd >= 0) call((c) => c.close(fd));
  }
  if (lost) throw new Error("the way back from another network namespace is lost");
  return found?.is;
}

/** The same where it was entered before, or here where there is no path. */
export function within<T>(path: string | undefined, look: () => T): T {
  if (path === undefined) return look();
  const found = inNetwork(path, () => ({ is: look() }));
  if (found === undefined) throw new Error(`${path} cannot be entered any more`);
  return found.is;
}
