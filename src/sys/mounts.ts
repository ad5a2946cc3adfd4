/** A mount of another mount namespace: setns(2), of this thread alone, which runs all of recriu's code. */
import { ptr } from "bun:ffi";
import { constants } from "node:fs";
import { call, cString } from "./libc.ts";
import { AT_FDCWD, CLONE_NEWNS, O_CLOEXEC, O_PATH, SIGKILL } from "./linux.ts";
import { kill } from "./process.ts";

const x64 = process.arch === "x64";
const SYS_mount = x64 ? 165n : 40n;
const SYS_chroot = x64 ? 161n : 51n;
const SYS_unshare = x64 ? 272n : 97n;
const SYS_setns = x64 ? 308n : 268n;
const CLONE_FS = 0x200n;
const MS_REMOUNT = 0x20;
const MS_BIND = 0x1000;

const system = (number: bigint, ...args: bigint[]): number => {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = args;
  return call((libc) => libc.syscall(number, a, b, c, d, e, 0n));
};

/** A descriptor or -errno. */
function open(path: string, flags: number): number {
  const name = cString(path);
  return call((c) => c.openat(AT_FDCWD, ptr(name), flags | O_CLOEXEC, 0));
}

/**
 * Gives the mount at `at` of the mount namespace of process `pid` these flags, MS_… of mount(2): 0 or -errno. Its file system stays as it
 * is. Paths lead there to what that process has put at them: without a way back neither of the two goes on.
 */
export function remountIn(pid: number, at: string, flags: number): number {
  const own = open("/proc/thread-self/ns/mnt", constants.O_RDONLY);
  const other = open(`/proc/${pid}/ns/mnt`, constants.O_RDONLY);
  // A thread that enters comes out at the root: where it was before it is led back to.
  const [root, here] = ["/", "."].map((path) => open(path, O_PATH | constants.O_DIRECTORY));
  const fds = [own, other, root!, here!];
  try {
    const failed = fds.find((fd) => fd < 0);
    if (failed !== undefined) return failed;
    // The kernel lets no thread in that shares its root with others.
    const apart = system(SYS_unshare, CLONE_FS);
    if (apart < 0) return apart;
    const entered = system(SYS_setns, BigInt(other), BigInt(CLONE_NEWNS));
    if (entered < 0) return entered;
    const [nothing, place, up] = [cString(""), cString(at), cString(".")];
    const done = system(
      SYS_mount,
      BigInt(ptr(nothing)),
      BigInt(ptr(place)),
      0n,
      BigInt(MS_REMOUNT | MS_BIND | flags),
      0n,
    );
    const back = [
      system(SYS_setns, BigInt(own), BigInt(CLONE_NEWNS)),
      call((c) => c.fchdir(root!)),
      system(SYS_chroot, BigInt(ptr(up))),
      call((c) => c.fchdir(here!)),
    ];
    if (back.some((result) => result < 0))
      for (const each of [pid, process.pid]) kill(each, SIGKILL);
    return done;
  } finally {
    for (const fd of fds) if (fd >= 0) call((c) => c.close(fd));
  }
}
