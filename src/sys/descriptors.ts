/** Descriptors of other processes, looked at through a copy: pidfd_getfd(2), Linux 5.6. */
import { ptr } from "bun:ffi";
import { call } from "./libc.ts";
import { TIOCGWINSZ } from "./linux.ts";
import { openProcess, SYS_ioctl } from "./process.ts";
import { closeHandle } from "./small-files.ts";

const x64 = process.arch === "x64";
const SYS_pidfd_getfd = 438n;
const SYS_getsockname = x64 ? 51n : 204n;
const SYS_getpeername = x64 ? 52n : 205n;
export const SOL_SOCKET = 1;

/** Use a copy of descriptor `fd` of process `pid`; undefined when the kernel does not hand it out. */
export function borrow<T>(pid: number, fd: number, use: (copy: number) => T): T | undefined {
  const handle = openProcess(pid);
  if (handle < 0) return undefined;
  const copy = call((c) => c.syscall(SYS_pidfd_getfd, BigInt(handle), BigInt(fd), 0n, 0n, 0n, 0n));
  closeHandle(handle);
  if (copy < 0) return undefined;
  try {
    return use(copy);
  } finally {
    closeHandle(copy);
  }
}

/** A socket option of `size` bytes, getsockopt(2); undefined when the socket has no such option. */
export function socketOption(
  fd: number,
  level: number,
  option: number,
  size: number,
): Buffer | undefined {
  const value = Buffer.alloc(size);
  const length = new Uint32Array([size]);
  const result = call((c) => c.getsockopt(fd, level, option, ptr(value), ptr(length)));
  return result < 0 ? undefined : value.subarray(0, length[0]);
}

/** A socket's own address as the kernel writes it, at most `size` bytes of it: getsockname(2). */
export const socketName = (fd: number, size: number): Buffer | undefined =>
  address(SYS_getsockname, fd, size);

/** That of whom it is connected to, getpeername(2); undefined of one that is not. */
export const peerName = (fd: number, size: number): Buffer | undefined =>
  address(SYS_getpeername, fd, size);

function address(what: bigint, fd: number, size: number): Buffer | undefined {
  const value = Buffer.alloc(size);
  const length = new Uint32Array([size]);
  const [at, long] = [BigInt(ptr(value)), BigInt(ptr(length))];
  return call((c) => c.syscall(what, BigInt(fd), at, long, 0n, 0n, 0n)) < 0 ? undefined : value;
}

/** An ioctl(2) that only sets: 0 or -errno. */
export const ioctlSet = (fd: number, request: number): number =>
  call((c) => c.syscall(SYS_ioctl, BigInt(fd), BigInt(request), 0n, 0n, 0n, 0n));

/** What ioctl(2) fills in, `size` bytes; undefined when the request fails. */
export function ioctlRead(fd: number, request: number, size: number): Buffer | undefined {
  const value = Buffer.alloc(size);
  return ioctlFill(fd, request, value) < 0 ? undefined : value;
}

/** An ioctl(2) that reads `value` and fills it in: 0 or more, or -errno. */
export function ioctlFill(fd: number, request: number, value: Buffer): number {
  const at = BigInt(ptr(value));
  return call((c) => c.syscall(SYS_ioctl, BigInt(fd), BigInt(request), at, 0n, 0n, 0n));
}

/** How wide a terminal is, in characters; undefined for what is none or does not say. ioctl(2), TIOCGWINSZ. */
export function columnsOf(fd: number): number | undefined {
  const columns = ioctlRead(fd, TIOCGWINSZ, 8)?.readUInt16LE(2);
  return columns === 0 ? undefined : columns;
}
