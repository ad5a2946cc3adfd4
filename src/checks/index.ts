/** The catalogue: every check, in the order in which a restore would meet them. */
import { cgroupOption } from "./cgroup-options.ts";
import { cgroupProperty } from "./cgroup-property.ts";
import { cgroupFrozen, cgroupNamespace, cgroupSetMissing, cgroupThread } from "./cgroup-rules.ts";
import { cgroupLeavings, cgroupMissing } from "./cgroups.ts";
import { archMismatch, cpuFeatures, guardPages, rseqMissing, vdsoMissing } from "./cpu.ts";
import { criuMissing, criuTooOld, privilege, scratchLeavings } from "./criu.ts";
import { capabilitiesMissing, idsUnmapped } from "./credentials.ts";
import { deathSignalInvalid, rootDeathSignal, zombieExitCode } from "./deaths.ts";
import { externalFile, fileBuildId, fileUnwritable, procThreadFile } from "./file-content.ts";
import { cwdMissing, fifoMissing, fileChanged, fileMissing } from "./files.ts";
import type { Check, Context, Finding, Leaving } from "./finding.ts";
import { ghostFileExists, ghostUnwritable, linkRemapMissing } from "./ghosts.ts";
import { imageMissing, imageTruncated, pagesShort } from "./images.ts";
import { dumpableLost, loginuidImmutable, oomScore, rlimitLowered } from "./inherited.ts";
import { apparmorProfileMissing, lsmMismatch, lsmOption } from "./lsm.ts";
import { pidMax, pidNamespaceExternal, pidNamespaceInit } from "./pid-namespaces.ts";
import { netDeviceMissing, tcpAddressMissing, tcpPortBusy, udpPortBusy } from "./inet.ts";
import { locksHeld, locksIgnored } from "./locks.ts";
import { pidInUse } from "./pids.ts";
import { schedRtBudget } from "./sched-budget.ts";
import { schedDeadline, schedInconsistent, schedNotPermitted } from "./sched-rights.ts";
import { schedPriorityLost, schedResetOnFork } from "./sched.ts";
import { seccompFilterMissing, seccompSuspend, seccompUnsupported } from "./seccomp.ts";
import {
  adoptedChildLost,
  sessionIntersects,
  sessionLeaderMissing,
  shellJobSession,
  treeCorrupt,
} from "./sessions.ts";
import {
  ttyDeviceMissing,
  ttyExternal,
  ttyIndexBusy,
  ttyNoTask,
  ttyShellJob,
  ttyStdin,
} from "./ttys.ts";
import { socketLeavings, unixSocketDir, unixSocketUnwritable } from "./sockets.ts";
import { tcpConnectionBusy, tcpEstablished, tcpStreamMissing } from "./tcp.ts";
import { unixSocketBusy } from "./unix-busy.ts";
import { unixSocketGhost } from "./unix-ghosts.ts";
import {
  unixPeerDown,
  unixPeerMissing,
  unixQueueTooLong,
  unixSocketExternal,
} from "./unix-peers.ts";
import { filesystemUnknown, mountDeviceMissing, mountSharing } from "./filesystems.ts";
import { aioLimit, fileOwnerMissing, memfdExecutable, pipeSize } from "./kernel-objects.ts";
import { externalMountSourceMissing, mountpointMissing } from "./mount-sources.ts";
import { externalMountUnmapped, mountAutodetected, rootMissing, rootNeeded } from "./mounts.ts";
import {
  namespaceFile,
  namespaceLimit,
  nestedNamespace,
  timeNamespace,
  userNamespaceMap,
} from "./namespaces.ts";
import { externalNetns, netLink, netToolsMissing, sysctlMissing } from "./net.ts";
import { gpuMissing, pluginMissing, sigactionsCount, timerId } from "./plugins.ts";
import { inotifyLimit, watchPathMissing } from "./watches.ts";

export type {
  Check,
  Context,
  Criu,
  Finding,
  Leaving,
  Proof,
  Remedy,
  Repair,
  Severity,
} from "./finding.ts";
export { notChecked } from "./not-checked.ts";
export { isScratch } from "./criu.ts";
export { namespacesOf } from "./paths.ts";

export const catalogue: readonly Check[] = [
  criuMissing,
  criuTooOld,
  privilege,
  imageMissing,
  imageTruncated,
  pagesShort,
  lsmOption,
  archMismatch,
  cpuFeatures,
  treeCorrupt,
  sessionIntersects,
  sessionLeaderMissing,
  shellJobSession,
  adoptedChildLost,
  nestedNamespace,
  pluginMissing,
  gpuMissing,
  ttyShellJob,
  ttyNoTask,
  cgroupOption,
  cgroupMissing,
  cgroupProperty,
  pidNamespaceInit,
  pidNamespaceExternal,
  pidMax,
  pidInUse,
  namespaceLimit,
  userNamespaceMap,
  timeNamespace,
  loginuidImmutable,
  cgroupNamespace,
  cgroupSetMissing,
  cgroupFrozen,
  externalNetns,
  netLink,
  sysctlMissing,
  netToolsMissing,
  externalMountUnmapped,
  mountAutodetected,
  mountSharing,
  rootNeeded,
  rootMissing,
  externalMountSourceMissing,
  mountpointMissing,
  mountDeviceMissing,
  filesystemUnknown,
  ghostFileExists,
  ghostUnwritable,
  linkRemapMissing,
  cwdMissing,
  fileMissing,
  fifoMissing,
  fileChanged,
  fileBuildId,
  fileUnwritable,
  externalFile,
  procThreadFile,
  unixPeerMissing,
  unixSocketDir,
  unixSocketUnwritable,
  unixSocketBusy,
  unixSocketGhost,
  unixSocketExternal,
  unixPeerDown,
  unixQueueTooLong,
  tcpEstablished,
  tcpStreamMissing,
  tcpConnectionBusy,
  tcpPortBusy,
  udpPortBusy,
  tcpAddressMissing,
  netDeviceMissing,
  locksIgnored,
  locksHeld,
  namespaceFile,
  fileOwnerMissing,
  pipeSize,
  memfdExecutable,
  inotifyLimit,
  watchPathMissing,
  vdsoMissing,
  sigactionsCount,
  aioLimit,
  timerId,
  rseqMissing,
  guardPages,
  cgroupThread,
  schedResetOnFork,
  schedPriorityLost,
  schedDeadline,
  schedInconsistent,
  schedNotPermitted,
  schedRtBudget,
  ttyStdin,
  ttyIndexBusy,
  ttyExternal,
  ttyDeviceMissing,
  lsmMismatch,
  apparmorProfileMissing,
  seccompFilterMissing,
  seccompUnsupported,
  seccompSuspend,
  deathSignalInvalid,
  rlimitLowered,
  oomScore,
  idsUnmapped,
  capabilitiesMissing,
  dumpableLost,
  zombieExitCode,
  rootDeathSignal,
];

/** The findings that say the images themselves cannot be trusted (exit code 6). */
export const imageChecks: ReadonlySet<string> = new Set([
  imageMissing.id,
  imageTruncated.id,
  pagesShort.id,
]);

/** Names of checks: `only` these run (all when empty); blockers that are to be `ignore`d. */
export interface Selection {
  only: readonly string[];
  ignore: readonly string[];
}

/**
 * Run every check. One that throws has met something nobody thought of: that is a finding too, never a silent pass.
 * `ignore` lowers blockers of these ids (or of `all`) to warnings; nothing is hidden.
 */
export function runChecks(context: Context, { only, ignore }: Selection): Finding[] {
  const chosen = only.length === 0 ? catalogue : catalogue.filter(({ id }) => only.includes(id));
  const findings = chosen.flatMap((check) => {
    try {
      return check.run(context);
    } catch (error) {
      return [crashed(check, error)];
    }
  });
  return findings.map((finding) =>
    finding.severity === "blocker" && (ignore.includes(finding.id) || ignore.includes("all"))
      ? { ...finding, severity: "warning" }
      : finding,
  );
}

/** What CRIU will make on this machine beside the tree itself, as far as it is not there now. */
export function leavingsOf(context: Context): Leaving[] {
  try {
    return [...scratchLeavings(context), ...cgroupLeavings(context), ...socketLeavings(context)];
  } catch {
    return []; // the check of the same images says why
  }
}

function crashed(check: Check, error: unknown): Finding {
  return {
    id: "check-crashed",
    severity: "blocker",
    task: null,
    image: "",
    subject: check.id,
    message: `the check ${check.id} failed: ${error instanceof Error ? error.message : String(error)}`,
    criu_message: null,
    remedy: {
      kind: "human",
      text: "this is a fault of recriu; --ignore=check-crashed goes on without that check",
      command: null,
    },
  };
}
