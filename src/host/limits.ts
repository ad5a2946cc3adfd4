/** Limits of this machine and of the caller on what CRIU can make. */
import { front } from "../sys/front.ts";
import { getLimit, RLIMIT_NOFILE } from "../sys/process.ts";

/**
 * RLIMIT_NOFILE of recriu, and the soft one that it was given: the runtime raises that to the hard one at its start. The front
 * has it still; without one it is taken for the parent's, unless that has more than recriu may have. Undefined where it cannot be read.
 */
export function descriptorLimits(): { inherited: bigint; soft: bigint; hard: bigint } | undefined {
  const own = getLimit(0, RLIMIT_NOFILE);
  if (typeof own === "number") return undefined;
  const parents = getLimit(front?.pid ?? process.ppid, RLIMIT_NOFILE);
  const parentCounts = typeof parents !== "number" && parents.soft <= own.hard;
  return { ...own, inherited: parentCounts ? parents.soft : own.soft };
}

/** The soft RLIMIT_NOFILE that CRIU will inherit: recriu starts it with what it was given itself. */
export const descriptorLimit = (): number => Number(descriptorLimits()?.inherited ?? Infinity);

/** The hard one: the soft one can be raised to it by anybody. */
export const descriptorMost = (): number => Number(descriptorLimits()?.hard ?? Infinity);
