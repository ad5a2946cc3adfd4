/** What a process hands down to its children beside what /proc shows: get_mempolicy(2), ioprio_get(2), prctl(2). */
import { ptr } from "bun:ffi";
import { call } from "./libc.ts";

const [SYS_get_mempolicy, SYS_ioprio_get] = process.arch === "x64" ? [239n, 252n] : [236n, 31n];
const IOPRIO_WHO_PROCESS = 1n;
const IOPRIO_CLASS_SHIFT = 13;
const IOPRIO_LEVEL = 7;
const PR_GET_TIMERSLACK = 30;
const PR_SCHED_CORE = 62;

export interface Attributes {
  /** IOPRIO_CLASS_NONE, RT, BE, IDLE: 0 to 3; and the level in it, 0 (most) to 7. */
  io: { class: number; level: number } | undefined;
  /** Nanoseconds. */
  timerSlack: number | undefined;
  /** MPOL_DEFAULT is 0. */
  memoryPolicy: number | undefined;
  /** It has a cookie of core scheduling: only threads with the same run beside it. */
  coreCookie: boolean | undefined;
}

/** Those of this thread; undefined where the kernel does not tell. */
export function ownAttributes(): Attributes {
  const none = 0n;
  const io = call((c) =>
    c.syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, none, none, none, none, none),
  );
  const slack = call((c) => c.prctl(PR_GET_TIMERSLACK, none, none, none, none));
  const mode = new Int32Array(1);
  const at = BigInt(ptr(mode));
  const policy = call((c) => c.syscall(SYS_get_mempolicy, at, none, none, none, none, none));
  const cookie = new BigUint64Array(1);
  // PR_SCHED_CORE_GET is 0, as is this thread, as is the kind of one thread alone.
  const core = call((c) => c.prctl(PR_SCHED_CORE, none, none, none, BigInt(ptr(cookie))));
  return {
    io: io < 0 ? undefined : { class: io >> IOPRIO_CLASS_SHIFT, level: io & IOPRIO_LEVEL },
    timerSlack: slack < 0 ? undefined : slack,
    memoryPolicy: policy < 0 ? undefined : mode[0]!,
    coreCookie: core < 0 ? undefined : cookie[0] !== 0n,
  };
}
