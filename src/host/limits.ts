/** Limits of this machine and of the caller on what CRIU can make. */
import { getLimit, RLIMIT_NOFILE } from "../sys/process.ts";

/**
 * The soft RLIMIT_NOFILE that CRIU will inherit. The runtime raises that of recriu to the hard one; recriu starts CRIU
 * with its parent's, which is what it was given itself.
 */
export function descriptorLimit(): number {
  const own = getLimit(0, RLIMIT_NOFILE);
  const given = getLimit(process.ppid, RLIMIT_NOFILE);
  if (typeof own === "number") return Infinity;
  if (typeof given === "number" || given.soft > own.hard) return Number(own.soft);
  return Number(given.soft);
}
