/** How a thread of this machine is scheduled: sched_setscheduler(2), getpriority(2), proc_pid_timerslack_ns(5). */
import { readFileSync } from "node:fs";
import { ptr } from "bun:ffi";
import { call, libc } from "./libc.ts";
import type { Scheduling } from "./sched.ts";

// musl's functions of these names refuse, because POSIX means processes by them, not threads.
const [SYS_sched_setscheduler, SYS_sched_getscheduler, SYS_sched_getparam] =
  process.arch === "x64" ? [144n, 145n, 143n] : [119n, 120n, 121n];

const schedule = (number: bigint, tid: number, second: number | bigint, third: bigint): number =>
  call((c) => c.syscall(number, BigInt(tid), BigInt(second), third, 0n, 0n, 0n));

/** Set how a thread is scheduled: 0 or -errno. */
export function setScheduling(tid: number, { policy, priority, nice }: Scheduling): number {
  const param = new Int32Array([priority]);
  const set = schedule(SYS_sched_setscheduler, tid, policy, BigInt(ptr(param)));
  return set < 0 ? set : call((c) => c.setpriority(0, tid, nice));
}

/** How a thread is scheduled (/proc does not show the reset-on-fork bit), or -errno. */
export function scheduling(tid: number): Scheduling | number {
  const policy = schedule(SYS_sched_getscheduler, tid, 0, 0n);
  if (policy < 0) return policy;
  const param = new Int32Array(1);
  const got = schedule(SYS_sched_getparam, tid, BigInt(ptr(param)), 0n);
  if (got < 0) return got;
  // getpriority(2) may return -1 as a value; the thread was there a moment ago, so it is taken as one.
  return { policy, priority: param[0]!, nice: libc().getpriority(0, tid) };
}

/** How late a thread's timers may be, in ns; undefined where that cannot be read. */
export function timerSlack(tid: number): bigint | undefined {
  try {
    return BigInt(readFileSync(`/proc/${tid}/timerslack_ns`, "latin1").trim());
  } catch {
    return undefined; // it is gone, or not ours to see
  }
}
