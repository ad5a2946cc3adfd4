/** Hardware breakpoints: some virtual machines take them and never stop at one. */
import { ptr } from "bun:ffi";
import { closeHandle } from "./small-files.ts";
import { call } from "./libc.ts";

const SYS_perf_event_open = process.arch === "x64" ? 298n : 241n;
const PERF_TYPE_BREAKPOINT = 5;
/** Count it whenever it happens, and not what the kernel does: perf_event_open(2). */
const PINNED = 1n << 2n;
const EXCLUDE_KERNEL = 1n << 5n;
const EXCLUDE_HV = 1n << 6n;
const PERF_FLAG_FD_CLOEXEC = 8n;
const HW_BREAKPOINT_W = 2;

/**
 * Whether a breakpoint on a word of recriu's own is met when the word is written; undefined where the kernel lets no process
 * ask. It takes some ten microseconds.
 */
export function breakpointsWork(): boolean | undefined {
  const word = new Int32Array(1);
  const size = 128;
  const attr = Buffer.alloc(size);
  attr.writeUInt32LE(PERF_TYPE_BREAKPOINT, 0);
  attr.writeUInt32LE(size, 4);
  attr.writeBigUInt64LE(PINNED | EXCLUDE_KERNEL | EXCLUDE_HV, 40);
  attr.writeUInt32LE(HW_BREAKPOINT_W, 52);
  attr.writeBigUInt64LE(BigInt(ptr(word)), 56);
  attr.writeBigUInt64LE(BigInt(word.byteLength), 64);
  const thisProcess = 0n;
  const any = -1n;
  const fd = call((c) =>
    c.syscall(
      SYS_perf_event_open,
      BigInt(ptr(attr)),
      thisProcess,
      any,
      any,
      PERF_FLAG_FD_CLOEXEC,
      0n,
    ),
  );
  if (fd < 0) return undefined;
  // A plain store: what Atomics does is a loop of exclusive loads and stores on arm64 without LSE (Cortex-A72). The breakpoint ends
  // the exclusive access each time, so that the store fails and is tried again, for ever.
  word[0] = 1;
  const count = Buffer.alloc(8);
  const got = call((c) => c.read(fd, ptr(count), count.length));
  closeHandle(fd);
  return got === count.length ? count.readBigUInt64LE(0) > 0n : undefined;
}
