/** Processes: signals, limits, attributes. */
import { ptr } from "bun:ffi";
import { call, cString, libc } from "./libc.ts";
import { AT_FDCWD } from "./linux.ts";

export const RLIMIT_NOFILE = 7;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_SECUREBITS = 27;
const PR_SET_NAME = 15;

/** kill(2): 0 or -errno. `signal` 0 only asks. */
export const kill = (pid: number, signal: number): number => call((c) => c.kill(pid, signal));

/** struct rlimit, which thousands are read into. */
const limit = new BigUint64Array(2);

/** A resource limit of a process (0 is this one), or -errno. prlimit(2). */
export function getLimit(pid: number, resource: number): { soft: bigint; hard: bigint } | number {
  const result = call((c) => c.prlimit(pid, resource, null, ptr(limit)));
  return result < 0 ? result : { soft: limit[0]!, hard: limit[1]! };
}

/** Set a resource limit: 0 or -errno. */
export function setLimit(pid: number, resource: number, soft: bigint, hard: bigint): number {
  const wanted = new BigUint64Array([soft, hard]);
  return call((c) => c.prlimit(pid, resource, ptr(wanted), null));
}

/** isatty(3). node:tty would cost 4 ms at start. */
export const isTerminal = (fd: number): boolean => libc().isatty(fd) === 1;

const SYS_kcmp = process.arch === "x64" ? 312 : 272;
const KCMP_FILE = 0;

/** Whether two descriptors, each of a process, are one open file: kcmp(2). Undefined where the kernel does not say. */
export function sameOpenFile(
  pid: number,
  fd: number,
  otherPid: number,
  other: number,
): boolean | undefined {
  const result = call((c) => c.syscall(SYS_kcmp, pid, otherPid, KCMP_FILE, fd, other, 0));
  return result < 0 ? undefined : result === 0;
}

const KCMP_EPOLL_TFD = 7;

/**
 * Whether what an epoll of another process watches (as the `nth` file under the number `tfd`) is a descriptor of a
 * process: kcmp(2). Undefined where the kernel does not say.
 */
export function watchesFile(
  pid: number,
  fd: number,
  watcher: number,
  { epoll, tfd, nth }: { epoll: number; tfd: number; nth: number },
): boolean | undefined {
  const slot = new Uint32Array([epoll, tfd, nth]);
  const at = BigInt(ptr(slot));
  const result = call((c) => c.syscall(SYS_kcmp, pid, watcher, KCMP_EPOLL_TFD, fd, at, 0));
  return result < 0 ? undefined : result === 0;
}

/** Become the parent of orphaned descendants, or no longer: prctl(2). */
export const becomeSubreaper = (yes = true): number =>
  call((c) => c.prctl(PR_SET_CHILD_SUBREAPER, yes ? 1n : 0n, 0n, 0n, 0n));

/** The secure bits of this process (capabilities(7)), which execve(2) keeps: a bit set or -errno. */
export const getSecurebits = (): number => call((c) => c.prctl(PR_GET_SECUREBITS, 0n, 0n, 0n, 0n));

/** Be called so by whoever lists processes: 15 bytes at most. PR_SET_NAME(2const) */
export const beNamed = (name: string): number =>
  call((c) => c.prctl(PR_SET_NAME, BigInt(ptr(cString(name))), 0n, 0n, 0n));

/** Bytes of a page of memory; other architectures than x86-64 leave the size to the kernel's configuration. */
export const pageSize = (): number => (process.arch === "x64" ? 4096 : libc().getpagesize());

const F_SETFD = 2;

/** Let a descriptor pass through execve(2). */
export const keepOpen = (fd: number): number => call((c) => c.fcntl(fd, F_SETFD, 0));

const SYS_dup3 = process.arch === "x64" ? 292n : 24n;

const O_RDWR = 2;

/** Have a descriptor lead to /dev/null. */
export function toNowhere(fd: number): void {
  const nowhere = call((c) => c.openat(AT_FDCWD, ptr(cString("/dev/null")), O_RDWR, 0));
  if (nowhere < 0) return;
  call((c) => c.syscall(SYS_dup3, BigInt(nowhere), BigInt(fd), 0n, 0n, 0n, 0n));
  if (nowhere !== fd) call((c) => c.close(nowhere));
}

/** Execute a program in this process's place: returns -errno when it cannot. execve(2). */
export function execute(
  path: string,
  name: string,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): number {
  const defined = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ? [] : `${key}=${value}`,
  );
  return execve(path, [name, ...words], defined);
}

/** The same with texts or C strings, which have a NUL at their end: bytes that are no UTF-8 stay what they are. */
export function execve(
  path: string,
  argv: readonly (string | Uint8Array)[],
  envp: readonly (string | Uint8Array)[],
): number {
  const strings = (texts: readonly (string | Uint8Array)[]) => {
    const bytes = texts.map((text) => (typeof text === "string" ? cString(text) : text));
    const pointers = new BigUint64Array([...bytes.map((each) => BigInt(ptr(each))), 0n]);
    return { bytes, pointers };
  };
  const [program, args, env] = [cString(path), strings(argv), strings(envp)];
  const failed = call((c) => c.execve(ptr(program), ptr(args.pointers), ptr(env.pointers)));
  // Until here the strings must live.
  return args.bytes.length + env.bytes.length > 0 ? failed : 0;
}

/** Give a signal its default disposition back. signal(2). */
export const defaultSignal = (signal: number): void => void libc().signal(signal, 0n);

/** Leave session and process group for own ones. setsid(2). */
export const leaveSession = (): number => call((c) => c.setsid());

const SYS_pidfd_open = 434n;

/** A descriptor that becomes readable when a process ends, close-on-exec, or -errno. pidfd_open(2). */
export const openProcess = (pid: number): number =>
  call((c) => c.syscall(SYS_pidfd_open, BigInt(pid), 0n, 0n, 0n, 0n, 0n));

/** PIDFD_GET_INFO and PIDFD_INFO_EXIT of linux/pidfd.h; the first size of struct pidfd_info, and where its exit_code is. */
const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_EXIT = 8n;
const INFO_SIZE = 64;
const EXIT_CODE_AT = 60;
export const SYS_ioctl = process.arch === "x64" ? 16n : 29n;

/**
 * How the process of such a descriptor ended, as wait(2) would have it, once its parent knows; undefined before, and on
 * kernels before 6.15.
 */
export function exitStatusOf(handle: number): number | undefined {
  const info = Buffer.alloc(INFO_SIZE);
  info.writeBigUInt64LE(PIDFD_INFO_EXIT, 0);
  const [fd, request, into] = [BigInt(handle), BigInt(PIDFD_GET_INFO), BigInt(ptr(info))];
  const asked = call((c) => c.syscall(SYS_ioctl, fd, request, into, 0n, 0n, 0n));
  const told = asked >= 0 && (info.readBigUInt64LE(0) & PIDFD_INFO_EXIT) !== 0n;
  return told ? info.readInt32LE(EXIT_CODE_AT) : undefined;
}

/**
 * Wait until one of the descriptors can be read or its other end is gone; those that can. poll(2). `timeout` in
 * milliseconds; -1: for ever.
 */
export function readable(fds: readonly number[], timeout = -1): number[] {
  const POLLIN = 1;
  const EINTR = -4;
  const entries = new Int32Array(fds.flatMap((fd) => [fd, POLLIN]));
  while (call((c) => c.poll(ptr(entries), BigInt(fds.length), timeout)) === EINTR);
  // struct pollfd: int fd; short events, revents.
  return fds.filter((_, index) => entries[2 * index + 1]! >>> 16 !== 0);
}

/** Whether a descriptor takes at least PIPE_BUF bytes within so many ms, or its other end is gone. poll(2). */
export function writable(fd: number, patience: number): boolean {
  const POLLOUT = 4;
  const entry = Int32Array.of(fd, POLLOUT);
  return call((c) => c.poll(ptr(entry), 1n, patience)) > 0;
}

/** The kernel's upper bound of kernel.pid_max on 64-bit machines (linux/threads.h). */
export const PID_MAX_LIMIT = 4194304;

/** What setfsuid(2) and setfsgid(2) refuse: they answer with the id that counts. */
const ASK = 0xffffffff;

/**
 * Do what concerns files as another user and group, with their rights and no more: file capabilities go, too. `f` must not
 * wait for anything, as only this thread changes. False when this process may not become him; then `f` was not called.
 */
export function asUser(uid: number, gid: number, f: () => void): boolean {
  const { setfsuid, setfsgid } = libc();
  const [ownGid, ownUid] = [setfsgid(gid), setfsuid(uid)];
  try {
    const became = setfsuid(ASK) === uid && setfsgid(ASK) === gid;
    if (became) f();
    return became;
  } finally {
    setfsuid(ownUid);
    setfsgid(ownGid);
  }
}
