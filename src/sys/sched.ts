/** Scheduling of a thread, as sched(7) names it. */
export const SCHED_OTHER = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
export const SCHED_DEADLINE = 6;
export const SCHED_EXT = 7;
export const SCHED_RESET_ON_FORK = 0x40000000;

export interface Scheduling {
  /** With its reset-on-fork bit. */
  policy: number;
  /** The static priority: 1 to 99 of a real-time policy, else 0. */
  priority: number;
  nice: number;
}

export const basePolicy = (policy: number): number => policy & ~SCHED_RESET_ON_FORK;

const names: Record<number, string> = {
  [SCHED_OTHER]: "SCHED_OTHER",
  [SCHED_FIFO]: "SCHED_FIFO",
  [SCHED_RR]: "SCHED_RR",
  [SCHED_BATCH]: "SCHED_BATCH",
  [SCHED_IDLE]: "SCHED_IDLE",
  [SCHED_DEADLINE]: "SCHED_DEADLINE",
  [SCHED_EXT]: "SCHED_EXT",
};

/** `SCHED_FIFO|SCHED_RESET_ON_FORK` for 0x40000001. */
export function policyName(policy: number): string {
  const base = names[basePolicy(policy)] ?? `policy ${basePolicy(policy)}`;
  return policy & SCHED_RESET_ON_FORK ? `${base}|SCHED_RESET_ON_FORK` : base;
}
