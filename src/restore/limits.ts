/** The runtime raises the soft RLIMIT_NOFILE of recriu to the hard one; what recriu starts must not inherit that. */
import { descriptorLimits } from "../host/limits.ts";
import { RLIMIT_NOFILE, setLimit } from "../sys/process.ts";

/** Around a spawn: the soft limit back to what recriu was given; then up again. */
export function inheritedLimits(): { beforeSpawn: () => void; afterSpawn: () => void } {
  const limits = descriptorLimits();
  if (limits === undefined) return { beforeSpawn() {}, afterSpawn() {} };
  const { inherited, soft, hard } = limits;
  return {
    beforeSpawn: () => void setLimit(0, RLIMIT_NOFILE, inherited, hard),
    afterSpawn: () => void setLimit(0, RLIMIT_NOFILE, soft, hard),
  };
}
