/** The runtime raises the soft RLIMIT_NOFILE of recriu to the hard one; what recriu starts must not inherit that. */
import { getLimit, RLIMIT_NOFILE, setLimit } from "../sys/process.ts";

/**
 * Around a spawn: the soft limit back to that of the parent, which is what recriu was given unless the parent has
 * changed its own since; then up again.
 */
export function givenLimits(): { beforeSpawn: () => void; afterSpawn: () => void } {
  const own = getLimit(0, RLIMIT_NOFILE);
  const given = getLimit(process.ppid, RLIMIT_NOFILE);
  if (typeof own === "number" || typeof given === "number" || given.soft > own.hard) {
    return { beforeSpawn() {}, afterSpawn() {} };
  }
  return {
    beforeSpawn: () => void setLimit(0, RLIMIT_NOFILE, given.soft, own.hard),
    afterSpawn: () => void setLimit(0, RLIMIT_NOFILE, own.soft, own.hard),
  };
}
