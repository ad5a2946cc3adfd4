/**
 * What is in open files of other processes, looked at through a copy of a descriptor (descriptors.ts): nothing is taken
 * out of them. Undefined where the kernel does not tell.
 */
import { ptr } from "bun:ffi";
import { ioctlRead, SOL_SOCKET, socketOption } from "./descriptors.ts";
import { call, libc } from "./libc.ts";
import { closeHandle } from "./small-files.ts";

const x64 = process.arch === "x64";
const SYS_fcntl = x64 ? 72n : 25n;
const SYS_tee = x64 ? 276n : 77n;
const SYS_recvmsg = x64 ? 47n : 212n;
const SYS_setsockopt = x64 ? 54n : 208n;
const SYS_timerfd_gettime = x64 ? 287n : 87n;
const SYS_inotify_add_watch = x64 ? 254n : 27n;

const F_GETSIG = 11;
const F_GETOWN_EX = 16;
const F_GETOWNER_UIDS = 17;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const F_GET_SEALS = 1034;
const FIONREAD = 0x541b;
const O_NONBLOCK_CLOEXEC = 0x80800;
const SPLICE_F_NONBLOCK = 2n;
const SO_PEEK_OFF = 42;
const MSG_PEEK_DONTWAIT = 0x42;

const orUndefined = (result: number): number | undefined => (result < 0 ? undefined : result);
const ask = (fd: number, command: number): number | undefined =>
  orUndefined(call((c) => c.fcntl(fd, command, 0)));

/** Bytes that wait in a pipe or socket; of datagrams those of the first. ioctl(2), FIONREAD. */
export const waiting = (fd: number): number | undefined =>
  ioctlRead(fd, FIONREAD, 4)?.readInt32LE(0);

/** Bytes that a pipe has room for. */
export const pipeSize = (fd: number): number | undefined => ask(fd, F_GETPIPE_SZ);

/** F_SEAL_* of a memory file, fcntl(2). */
export const seals = (fd: number): number | undefined => ask(fd, F_GET_SEALS);

/** The receiver of a file's signals (fcntl(2)): F_OWNER_TID 0, _PID 1 or _PGRP 2, a number as recriu's pid namespace has it (0: none), and the signal. */
interface Owner {
  signal: number;
  type: number;
  pid: number;
  /** The real and effective user ids with which it was set; undefined where the kernel does not say. */
  users: readonly number[] | undefined;
}

export function ownerOf(fd: number): Owner | undefined {
  const two = new Int32Array(2);
  const fill = (command: number): boolean => {
    const at = BigInt(ptr(two));
    return call((c) => c.syscall(SYS_fcntl, BigInt(fd), BigInt(command), at, 0n, 0n, 0n)) >= 0;
  };
  const signal = ask(fd, F_GETSIG);
  if (signal === undefined || !fill(F_GETOWN_EX)) return undefined;
  const [type, pid] = [two[0]!, two[1]!];
  return { signal, type, pid, users: fill(F_GETOWNER_UIDS) ? [two[0]!, two[1]!] : undefined };
}

/** What waits in a pipe, of which `fd` is a reading end that can hold `size` bytes: tee(2) doubles it. */
export function pipeContent(fd: number, size: number): Buffer | undefined {
  const ends = new Int32Array(2);
  if (call((c) => c.pipe2(ptr(ends), O_NONBLOCK_CLOEXEC)) < 0) return undefined;
  const [from, to] = [ends[0]!, ends[1]!];
  try {
    if (call((c) => c.fcntl(to, F_SETPIPE_SZ, size)) < 0) return undefined;
    const [source, target, most] = [BigInt(fd), BigInt(to), BigInt(size)];
    const got = call((c) => c.syscall(SYS_tee, source, target, most, SPLICE_F_NONBLOCK, 0n, 0n));
    if (got < 0) return undefined;
    const bytes = Buffer.alloc(got);
    return got === 0 || libc().read(from, ptr(bytes), got) === got ? bytes : undefined;
  } finally {
    closeHandle(from);
    closeHandle(to);
  }
}

/** The senders of what waits in a Unix socket, with recriu's numbers; a process that has none here is 0 (unix(7), SCM_CREDENTIALS). */
export interface Sender {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What one call of recvmsg(2) gives: a datagram, or what one sender wrote to a stream. */
interface Piece {
  readonly bytes: Buffer;
  /** Undefined where the socket does not take such words (SO_PASSCRED). */
  readonly sender: Sender | undefined;
}

/**
 * What waits in a Unix socket, as `most` bytes at most. What they are read from is set by SO_PEEK_OFF and set back: for a
 * program that is stopped.
 */
export function socketContent(fd: number, most: number): Piece[] | undefined {
  const before = socketOption(fd, SOL_SOCKET, SO_PEEK_OFF, 4);
  if (before === undefined) return undefined;
  const peekFrom = (value: number): number => {
    const at = new Int32Array([value]);
    const [level, option, where] = [BigInt(SOL_SOCKET), BigInt(SO_PEEK_OFF), BigInt(ptr(at))];
    return call((c) => c.syscall(SYS_setsockopt, BigInt(fd), level, option, where, 4n, 0n));
  };
  if (peekFrom(0) < 0) return undefined;
  try {
    const pieces: Piece[] = [];
    const space = Buffer.alloc(most + 1);
    for (let left = most + 1; left > 0;) {
      const piece = peek(fd, space);
      if (piece === undefined) break;
      pieces.push(piece);
      left -= piece.bytes.length;
    }
    return pieces;
  } finally {
    peekFrom(before.readInt32LE(0));
  }
}

const SCM_CREDENTIALS = 2;
/** struct cmsghdr of 16 bytes and struct ucred of 12: there is no room for descriptors, which so are not received. */
const CONTROL = 32;

function peek(fd: number, space: Buffer): Piece | undefined {
  const control = Buffer.alloc(CONTROL);
  const part = new BigUint64Array([BigInt(ptr(space)), BigInt(space.length)]);
  // struct msghdr: no address; one part; control; flags.
  const [parts, words] = [BigInt(ptr(part)), BigInt(ptr(control))];
  const header = new BigUint64Array([0n, 0n, parts, 1n, words, BigInt(CONTROL), 0n]);
  const [at, how] = [BigInt(ptr(header)), BigInt(MSG_PEEK_DONTWAIT)];
  const got = call((c) => c.syscall(SYS_recvmsg, BigInt(fd), at, how, 0n, 0n, 0n));
  if (got <= 0) return undefined;
  const told =
    control.readUInt32LE(8) === SOL_SOCKET && control.readUInt32LE(12) === SCM_CREDENTIALS;
  const [pid, uid, gid] = [16, 20, 24].map((offset) => control.readUInt32LE(offset));
  return {
    bytes: Buffer.from(space.subarray(0, got)),
    sender: told ? { pid: pid!, uid: uid!, gid: gid! } : undefined,
  };
}

/** Nanoseconds until a timer expires, 0 of one that is not armed. An expired one of a period is set going, as by read(2). timerfd_gettime(2) */
export function timerLeft(fd: number): bigint | undefined {
  const value = new BigInt64Array(4);
  const at = BigInt(ptr(value));
  const result = call((c) => c.syscall(SYS_timerfd_gettime, BigInt(fd), at, 0n, 0n, 0n, 0n));
  return result < 0 ? undefined : value[2]! * 1_000_000_000n + value[3]!;
}

/** inotify_add_watch(2) of the file behind the descriptor `target`: a watch that it has gets this mask. Its number, or -errno. */
export function watch(fd: number, target: number, mask: number): number {
  const path = Buffer.from(`/proc/self/fd/${target}\0`);
  const at = BigInt(ptr(path));
  const wanted = BigInt(mask >>> 0);
  return call((c) => c.syscall(SYS_inotify_add_watch, BigInt(fd), at, wanted, 0n, 0n, 0n));
}
