/** The releases of CRIU that matter here, each under the name of what it brought. Faults of releases: known-faults.ts. */
import { compareVersions } from "./version.ts";

export const since = {
  /** Options and images that are known here. */
  oldestKnown: "3.17",
  /** --unprivileged, --skip-file-rwx-check, --ghost-fiemap. */
  unprivileged: "3.18",
  /** Each thread has a set of cgroups, and none is read where only processes had one. */
  threadCgroups: "3.18",
  /** Action scripts run beside RPC's notifications; before, some stop at one. */
  scriptsBesideRpc: "3.19",
  /** Ids and securebits that a task has already are not set, which took rights. */
  idsCompared: "3.19",
  /** Memory files come back with their modes. */
  memfdModes: "3.19",
  /** SCHED_RESET_ON_FORK is known for a flag, not for part of a policy. */
  resetOnFork: "4.0",
  /** [vvar_vclock] beside the vDSO is known. */
  vvarVclock: "4.1",
  pidfds: "4.1",
  /** The inventory names the plugins of the dump. */
  pluginsNamed: "4.1",
  /** --lsm-profile counts for SELinux. */
  selinuxProfile: "4.1",
  /** Hardware breakpoints are tried before they are relied on. */
  breakpointsTried: "4.2",
  /** A tree's root gets the flags of its mount. */
  rootFlags: "4.2",
  uprobes: "4.2",
  /** Page maps count their pages in a field of their own, which an older CRIU does not read. */
  pagesCounted: "4.2",
  guardRegions: "4.2",
  /** A timer has its number asked of the kernel (Linux 6.15). */
  timerNumbers: "4.2",
  /** A vDSO that is none is told in other words. */
  vdsoWords: "4.2",
  /** A processor that was not saved is told as that. */
  cpuinfoWords: "4.2",
  /** Memory in the images may be compressed; options for how it is read. */
  compressed: "4.3",
  /** A periodic timer that had expired goes on, and one that was not armed is not. */
  timersKept: "4.3",
  /** A zombie's exit code comes back whole. */
  zombieCodes: "4.3",
  /** A cgroup namespace is made again with --manage-cgroups=ignore, too. */
  cgroupNamespaceIgnored: "4.3",
  /** What cannot be watched again is told in other words. */
  watchWords: "4.3",
  /** Messages that wait in Unix sockets keep their senders, and user namespaces their binary formats. */
  sendersKept: "4.3",
} as const satisfies Readonly<Record<string, string>>;

type Feature = keyof typeof since;

/** Whether a CRIU has a feature; of one that does not tell its version `untold` is supposed. */
export const knows = (version: string | undefined, feature: Feature, untold: boolean): boolean =>
  version === undefined ? untold : compareVersions(version, since[feature]) >= 0;
