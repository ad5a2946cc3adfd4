/** Files by descriptor: paths that an image names are resolved inside a root, never joined as strings. */
import { O_CLOEXEC, O_PATH } from "./linux.ts";
import { closeSync, constants, fstatSync, type Stats } from "node:fs";
import { ptr } from "bun:ffi";
import { call, cString } from "./libc.ts";
import { openStepwise } from "./stepwise.ts";

/** open_how.resolve, openat2(2). */
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const SYS_openat2 = 437n;
const SYS_memfd_create = process.arch === "x64" ? 319n : 279n;
const SYS_renameat2 = process.arch === "x64" ? 316n : 276n;
const RENAME_NOREPLACE = 1n;
/** open_tree(2) has one number on all machines. */
const SYS_open_tree = 428n;
const OPEN_TREE_CLONE = 1;
const SYS_fsopen = 430n;
const SYS_fsconfig = 431n;
const SYS_fsmount = 432n;
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const AT_REMOVEDIR = 0x200;
const ENOSYS = 38;
const EAGAIN = 11;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/**
 * Open `path` as seen from inside the directory `root`: absolute links and `..` cannot leave it.
 * Returns a descriptor or -errno. openat2(2); before Linux 5.6 the same is done step by step. Nothing is created.
 */
export function openInRoot(root: number, path: string, flags: number): number {
  const how = new BigUint64Array([
    BigInt(flags | O_CLOEXEC),
    0n,
    BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS),
  ]);
  const name = cString(path);
  const open = () =>
    call((c) =>
      c.syscall(SYS_openat2, BigInt(root), BigInt(ptr(name)), BigInt(ptr(how)), 24n, 0n, 0n),
    );
  let fd = open();
  // Behind `..` the kernel gives up whenever anything on the machine is renamed or mounted meanwhile.
  for (let tries = 0; fd === -EAGAIN && tries < 16; tries++) fd = open();
  return fd === -ENOSYS || fd === -EAGAIN ? openStepwise(root, path, flags) : fd;
}

/** A handle on whatever `path` is inside `root`, without opening it for I/O: a FIFO or a device is left alone. */
export function handleInRoot(root: number, path: string, follow = true): number {
  return openInRoot(root, path, O_PATH | (follow ? 0 : constants.O_NOFOLLOW));
}

/** What `path` inside `root` is, or -errno. */
export function statInRoot(root: number, path: string, follow = true): Stats | number {
  const fd = handleInRoot(root, path, follow);
  if (fd < 0) return fd;
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A descriptor as a path. */
export const handle = (fd: number): string => `/proc/self/fd/${fd}`;

/** A directory's descriptor for use as a root, or -errno. */
export function openDirectory(path: string): number {
  const name = cString(path);
  return call((c) => c.openat(-100, ptr(name), constants.O_DIRECTORY | O_CLOEXEC, 0));
}

export function mkdirat(dir: number, name: string, mode: number): number {
  const bytes = cString(name);
  return call((c) => c.mkdirat(dir, ptr(bytes), mode));
}

/** A FIFO at `name` in `dir`, its mode less the umask: 0 or -errno. */
export function mkfifoat(dir: number, name: string, mode: number): number {
  const bytes = cString(name);
  return call((c) => c.mkfifoat(dir, ptr(bytes), mode));
}

/** A link at `name` in `dir` that leads to `target`: 0 or -errno. */
export function symlinkat(target: string, dir: number, name: string): number {
  const [to, at] = [cString(target), cString(name)];
  return call((c) => c.symlinkat(ptr(to), dir, ptr(at)));
}

/** A second name in the same directory, nothing followed and nothing replaced: 0 or -errno. */
export function linkat(dir: number, name: string, second: string): number {
  const [from, to] = [cString(name), cString(second)];
  return call((c) => c.linkat(dir, ptr(from), dir, ptr(to), 0));
}

/** One name more for an open file (a hard link): 0 or -errno. */
export function linkHandle(fd: number, dir: number, name: string): number {
  const AT_SYMLINK_FOLLOW = 0x400;
  const [from, to] = [cString(handle(fd)), cString(name)];
  return call((c) => c.linkat(dir, ptr(from), dir, ptr(to), AT_SYMLINK_FOLLOW));
}

/** Rename an entry of a directory, nothing followed and nothing replaced: 0 or -errno. renameat2(2). */
export function renameFree(dir: number, name: string, other: string): number {
  const [from, to] = [cString(name), cString(other)];
  const at = BigInt(dir);
  return call((c) =>
    c.syscall(SYS_renameat2, at, BigInt(ptr(from)), at, BigInt(ptr(to)), RENAME_NOREPLACE, 0n),
  );
}

export function unlinkat(dir: number, name: string): number {
  const bytes = cString(name);
  return call((c) => c.unlinkat(dir, ptr(bytes), 0));
}

export function rmdirat(dir: number, name: string): number {
  const bytes = cString(name);
  return call((c) => c.unlinkat(dir, ptr(bytes), AT_REMOVEDIR));
}

/** Open a directory entry of `dir` itself, never what a link at that name points to. */
export function openEntry(dir: number, name: string, flags: number): number {
  const bytes = cString(name);
  return call((c) => c.openat(dir, ptr(bytes), flags | constants.O_NOFOLLOW | O_CLOEXEC, 0));
}

/** Open or make an entry of `dir` with `flags` of open(2) and `mode`, never through a link at that name. */
export function createEntry(dir: number, name: string, flags: number, mode: number): number {
  const bytes = cString(name);
  return call((c) => c.openat(dir, ptr(bytes), flags | constants.O_NOFOLLOW | O_CLOEXEC, mode));
}

export const fchmod = (fd: number, mode: number): number => call((c) => c.fchmod(fd, mode));
export const fchown = (fd: number, uid: number, gid: number): number =>
  call((c) => c.fchown(fd, uid, gid));

/** Take an exclusive lock on an open file without waiting: 0, or -errno (EAGAIN when somebody holds it). */
export const lockExclusive = (fd: number): number => call((c) => c.flock(fd, 2 | 4));

/** Give a range of a file back to its file system; it then reads as zeros, the size stays. 0 or -errno. fallocate(2). */
export const punchHole = (fd: number, offset: number, length: number): number =>
  call((c) => c.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));

/** A copy of the mounts from an open directory down, mounted nowhere and gone with its descriptor; or -errno. */
export function cloneTree(dir: number): number {
  const empty = cString("");
  const flags = OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE | O_CLOEXEC;
  return call((c) =>
    c.syscall(SYS_open_tree, BigInt(dir), BigInt(ptr(empty)), BigInt(flags), 0n, 0n, 0n),
  );
}

/** A file system in memory, on a mount that is nowhere and gone with its descriptor; or -errno. Since Linux 5.2. */
export function memoryMount(): number {
  const [type, name, mode] = [cString("tmpfs"), cString("mode"), cString("700")];
  const system = (number: bigint, ...args: (number | bigint)[]) =>
    call((c) =>
      c.syscall(number, ...(Array.from({ length: 6 }, (_, nth) => BigInt(args[nth] ?? 0)) as Six)),
    );
  const fs = system(SYS_fsopen, ptr(type), FSOPEN_CLOEXEC);
  if (fs < 0) return fs;
  try {
    const set = system(SYS_fsconfig, fs, FSCONFIG_SET_STRING, ptr(name), ptr(mode), 0);
    const made = set < 0 ? set : system(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE);
    return made < 0
      ? made
      : system(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  } finally {
    closeSync(fs);
  }
}

type Six = [bigint, bigint, bigint, bigint, bigint, bigint];

/** Detach the mount that a descriptor's path (`handle`) is the root of: umount2(2) with MNT_DETACH. 0 or -errno. */
export function detach(path: string): number {
  const bytes = cString(path);
  return call((c) => c.umount2(ptr(bytes), 2));
}

/** A pipe: [read end, write end], both close-on-exec, or -errno. */
export function pipe(): [number, number] | number {
  const ends = new Int32Array(2);
  const result = call((c) => c.pipe2(ptr(ends), O_CLOEXEC));
  return result < 0 ? result : [ends[0]!, ends[1]!];
}

/** A file without a name, executable, open in this process only; or -errno. memfd_create(2); MFD_EXEC since Linux 6.3. */
export function memoryFile(name: string): number {
  const MFD_EXEC = 0x10n;
  const bytes = cString(name);
  const make = (flags: bigint) =>
    call((c) => c.syscall(SYS_memfd_create, BigInt(ptr(bytes)), flags, 0n, 0n, 0n, 0n));
  const fd = make(MFD_EXEC);
  return fd < 0 ? make(0n) : fd;
}
