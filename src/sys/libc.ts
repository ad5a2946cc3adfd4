/**
 * libc, bound once and only when first needed: opening it costs a millisecond that `--version` need not pay.
 *
 * The library is named "libc.so.6" because the dynamic loader that started this binary has already loaded it under
 * that name; any other bare name would let a file in the working directory be loaded as root.
 */
import { dlopen, FFIType, type Pointer, read } from "bun:ffi";

export { cString } from "./text.ts";

const { i32, i64, i64_fast, u32, u64, ptr } = FFIType;

/**
 * Every one is in glibc 2.17 and in musl: one that is not would take all of them away. What is newer, and what
 * musl refuses, is a system call by its number.
 */
const symbols = {
  __errno_location: { args: [], returns: ptr },
  syscall: { args: [i64, i64, i64, i64, i64, i64, i64], returns: i64_fast },
  read: { args: [i32, ptr, u64], returns: i32 },
  pread: { args: [i32, ptr, u64, i64], returns: i32 },
  close: { args: [i32], returns: i32 },
  openat: { args: [i32, ptr, i32, u32], returns: i32 },
  mkdirat: { args: [i32, ptr, u32], returns: i32 },
  mkfifoat: { args: [i32, ptr, u32], returns: i32 },
  unlinkat: { args: [i32, ptr, i32], returns: i32 },
  symlinkat: { args: [ptr, i32, ptr], returns: i32 },
  linkat: { args: [i32, ptr, i32, ptr, i32], returns: i32 },
  readlinkat: { args: [i32, ptr, ptr, u64], returns: i32 },
  fchmod: { args: [i32, u32], returns: i32 },
  fchown: { args: [i32, u32, u32], returns: i32 },
  flistxattr: { args: [i32, ptr, u64], returns: i64 },
  fgetxattr: { args: [i32, ptr, ptr, u64], returns: i64 },
  fsetxattr: { args: [i32, ptr, ptr, u64, i32], returns: i32 },
  fchdir: { args: [i32], returns: i32 },
  setfsuid: { args: [u32], returns: i32 },
  setfsgid: { args: [u32], returns: i32 },
  faccessat: { args: [i32, ptr, i32, i32], returns: i32 },
  umount2: { args: [ptr, i32], returns: i32 },
  lseek: { args: [i32, i64, i32], returns: i64 },
  fallocate: { args: [i32, i32, i64, i64], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  pipe2: { args: [ptr, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, ptr, u32], returns: i32 },
  connect: { args: [i32, ptr, u32], returns: i32 },
  getsockopt: { args: [i32, i32, i32, ptr, ptr], returns: i32 },
  isatty: { args: [i32], returns: i32 },
  getpagesize: { args: [], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  execve: { args: [ptr, ptr, ptr], returns: i32 },
  signal: { args: [i32, u64], returns: u64 },
  setsid: { args: [], returns: i32 },
  poll: { args: [ptr, u64, i32], returns: i32 },
  recv: { args: [i32, ptr, u64, i32], returns: i64 },
  send: { args: [i32, ptr, u64, i32], returns: i64 },
  kill: { args: [i32, i32], returns: i32 },
  setpriority: { args: [i32, u32, i32], returns: i32 },
  getpriority: { args: [i32, u32], returns: i32 },
  prlimit: { args: [i32, i32, ptr, ptr], returns: i32 },
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
} as const;

/** What recriu needs of libc; for the test that says since when libc has it. */
export const libcSymbols: readonly string[] = Object.keys(symbols);

type Libc = ReturnType<typeof dlopen<typeof symbols>>["symbols"];

let loaded: { libc: Libc; errno: Pointer } | undefined;

function load() {
  const bound = bind();
  return { libc: bound, errno: bound.__errno_location() as Pointer };
}

function bind() {
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch (error) {
    // Without a JIT there is no way; where it may not be, that is how the machine is set up.
    throw new Error(
      `libc cannot be called: a limit (ulimit -v) or the kernel keeps recriu from making machine code (${(error as Error).message})`,
      { cause: error },
    );
  }
}

/** Whether it can be called: what only reads has another way, where no machine code may be made. */
export function canCall(): boolean {
  try {
    libc();
    return true;
  } catch {
    return false;
  }
}

/** The bound functions of libc. */
export function libc(): Libc {
  loaded ??= load();
  return loaded.libc;
}

/** errno(3), to be read before anything else can touch it. */
export function errno(): number {
  loaded ??= load();
  return read.i32(loaded.errno, 0);
}

/** A call's result, or its negated errno (the kernel's own convention) when it returned -1. */
export function call(f: (libc: Libc) => number | bigint): number {
  const result = Number(f(libc()));
  return result === -1 ? -errno() : result;
}
