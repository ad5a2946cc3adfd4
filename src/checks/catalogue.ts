/** The catalogue: every check, in the order in which a restore would meet them. */
import { alreadyRunning } from "./already-running.ts";
import {
  bundleCapabilities,
  bundleLabel,
  bundleNoNewPrivs,
  bundleSeccomp,
} from "./bundle-rights.ts";
import { bundleNamespace, bundleRoot, bundleUsers } from "./bundle.ts";
import { cgroupOption } from "./cgroup-options.ts";
import { cgroupOwner } from "./cgroup-owner.ts";
import { cgroupProperty } from "./cgroup-property.ts";
import { cgroupFrozen, cgroupNamespace, cgroupSetMissing, cgroupThread } from "./cgroup-rules.ts";
import { cgroupMissing } from "./cgroups.ts";
import { archMismatch, cpuFeatures, guardPages, rseqMissing, vdsoMissing } from "./cpu.ts";
import { breakpointsMissing } from "./breakpoints.ts";
import { capabilitiesMissing, idsUnmapped } from "./credentials.ts";
import { criuMissing, criuTooOld, criuUnstartable, privilege } from "./criu.ts";
import { deathSignalInvalid, rootDeathSignal, zombieExitCode } from "./deaths.ts";
import { autoDedup } from "./dedup.ts";
import { pidfileExists, scriptNotExecutable, tmpMissing } from "./environment.ts";
import { externalFile, fileBuildId, fileUnwritable, procThreadFile } from "./file-content.ts";
import { fileReplaced } from "./file-replaced.ts";
import { fileChanged } from "./file-changed.ts";
import { cwdMissing, fifoMissing, fileMissing } from "./files.ts";
import { filesystemUnknown, mountDeviceMissing, mountSharing } from "./filesystems.ts";
import { epollTarget } from "./epoll.ts";
import type { Check } from "./finding.ts";
import { imageForged } from "./forged/index.ts";
import { ghostRights } from "./ghost-rights.ts";
import { ghostFileExists, ghostUnwritable, linkRemapMissing } from "./ghosts.ts";
import { gpuMissing } from "./gpu.ts";
import { imageMissing, imageTruncated, pagesShort } from "./images.ts";
import { netDeviceMissing, tcpAddressMissing, tcpPortBusy, udpPortBusy } from "./inet.ts";
import { inheritedNarrower } from "./inherited-narrower.ts";
import { dumpableLost, loginuidImmutable, oomScore, rlimitLowered } from "./inherited.ts";
import { allowUprobesNeeded, imageDeprecated, imageVersion, tcpCloseNeeded } from "./inventory.ts";
import { joinNsMissing } from "./join-ns.ts";
import { aioLimit, fileOwnerMissing, memfdExecutable, pipeSize } from "./kernel-objects.ts";
import { addressSpace, fdTooBig, mappingsTooMany, mmapMinAddr } from "./limits.ts";
import { fileDiffers, imageAltered } from "./seal.ts";
import { lockMapped, locksHeld, locksIgnored } from "./locks.ts";
import { apparmorProfileMissing, lsmMismatch, lsmOption } from "./lsm.ts";
import { hugepagesShort, memoryShort } from "./memory.ts";
import { externalMountSourceMissing, mountpointMissing } from "./mount-sources.ts";
import { externalMountUnmapped, mountAutodetected, rootMissing, rootNeeded } from "./mounts.ts";
import { namespaceFile, namespaceLimit, nestedNamespace, timeNamespace } from "./namespaces.ts";
import { userNamespaceAlone, userNamespaceMap } from "./user-namespaces.ts";
import { externalNetns, netToolsMissing, sysctlMissing } from "./net.ts";
import { netLink } from "./net-links.ts";
import { imageLazy, imageParent, imageVmas, lazyPagesSocket } from "./pages.ts";
import {
  pidMax,
  pidNamespaceEnds,
  pidNamespaceExternal,
  pidNamespaceInit,
} from "./pid-namespaces.ts";
import { dumpFailed, noCheckpoint } from "./no-checkpoint.ts";
import { pidInUse } from "./pids.ts";
import { workFilePlanted } from "./planted.ts";
import { writableByOthers } from "./others.ts";
import { pingGroupRange, usernsPingRange } from "./ping-sockets.ts";
import { pluginBroken, pluginMissing } from "./plugins.ts";
import { schedRtBudget } from "./sched-budget.ts";
import { schedInconsistent, schedNotPermitted } from "./sched-rights.ts";
import { schedDeadline, schedPriorityLost, schedResetOnFork } from "./sched.ts";
import { seccompFilterMissing, seccompSuspend, seccompUnsupported } from "./seccomp.ts";
import {
  adoptedChildLost,
  groupLeaderLost,
  sessionIntersects,
  sessionLeaderMissing,
  shellJobSession,
  treeCorrupt,
} from "./sessions.ts";
import { sigactionsCount } from "./sigactions.ts";
import { imageNewer } from "./skew.ts";
import { unixSocketDirOwner } from "./socket-owners.ts";
import { unixSocketDir, unixSocketUnwritable } from "./sockets.ts";
import { tcpConnectionBusy, tcpEstablished, tcpStreamMissing } from "./tcp.ts";
import { mountGroup, mountPropagation } from "./mount-groups.ts";
import { mountOfHost } from "./mount-host.ts";
import { mountOutside } from "./mount-outside.ts";
import { mountUnknown } from "./mount-unknown.ts";
import { timerfdExpired } from "./timerfd.ts";
import { timerId } from "./timers.ts";
import { ttyControlling } from "./tty-controlling.ts";
import { ttyDeviceMissing, ttyExternal, ttyIndexBusy, ttyOtherFile } from "./tty-devices.ts";
import { ttyNoTask, ttyShellJob, ttyStdin } from "./ttys.ts";
import { unixSocketBusy } from "./unix-busy.ts";
import { unixSocketGhost } from "./unix-ghosts.ts";
import {
  unixPeerDown,
  unixPeerMissing,
  unixQueueTooLong,
  unixSocketExternal,
} from "./unix-peers.ts";
import { inotifyLimit, watchPathMissing } from "./watches.ts";
import { optionIgnored, rootIgnored } from "./without-effect.ts";
import { untrustedImages } from "./untrusted/images.ts";
import { untrustedEffects } from "./untrusted/refusals.ts";
import { untrustedRoot } from "./untrusted/root.ts";
import { workDirUnwritable } from "./workdir.ts";

export const catalogue: readonly Check[] = [
  noCheckpoint,
  dumpFailed,
  criuMissing,
  criuUnstartable,
  criuTooOld,
  breakpointsMissing,
  privilege,
  workDirUnwritable,
  workFilePlanted,
  tmpMissing,
  imageMissing,
  imageTruncated,
  imageForged,
  imageAltered,
  pagesShort,
  imageParent,
  imageVersion,
  imageNewer,
  tcpCloseNeeded,
  allowUprobesNeeded,
  pluginBroken,
  pluginMissing,
  writableByOthers,
  scriptNotExecutable,
  lsmOption,
  archMismatch,
  cpuFeatures,
  treeCorrupt,
  sessionIntersects,
  sessionLeaderMissing,
  shellJobSession,
  groupLeaderLost,
  adoptedChildLost,
  joinNsMissing,
  nestedNamespace,
  gpuMissing,
  ttyShellJob,
  ttyNoTask,
  cgroupOption,
  cgroupMissing,
  cgroupOwner,
  cgroupProperty,
  pidNamespaceInit,
  pidNamespaceEnds,
  pidNamespaceExternal,
  pidMax,
  alreadyRunning,
  pidInUse,
  namespaceLimit,
  userNamespaceAlone,
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
  mountPropagation,
  mountGroup,
  rootNeeded,
  rootMissing,
  rootIgnored,
  optionIgnored,
  externalMountSourceMissing,
  mountpointMissing,
  mountDeviceMissing,
  filesystemUnknown,
  mountUnknown,
  ghostRights,
  mountOfHost,
  mountOutside,
  ghostFileExists,
  ghostUnwritable,
  linkRemapMissing,
  lazyPagesSocket,
  cwdMissing,
  fileMissing,
  fifoMissing,
  fileChanged,
  fileReplaced,
  fileBuildId,
  fileUnwritable,
  externalFile,
  procThreadFile,
  unixPeerMissing,
  unixSocketDir,
  unixSocketDirOwner,
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
  pingGroupRange,
  usernsPingRange,
  locksIgnored,
  locksHeld,
  lockMapped,
  fileDiffers,
  namespaceFile,
  fileOwnerMissing,
  pipeSize,
  memfdExecutable,
  inotifyLimit,
  watchPathMissing,
  timerfdExpired,
  epollTarget,
  vdsoMissing,
  sigactionsCount,
  aioLimit,
  timerId,
  rseqMissing,
  guardPages,
  cgroupThread,
  fdTooBig,
  imageVmas,
  autoDedup,
  imageLazy,
  imageDeprecated,
  memoryShort,
  hugepagesShort,
  mappingsTooMany,
  mmapMinAddr,
  addressSpace,
  schedResetOnFork,
  schedPriorityLost,
  schedDeadline,
  schedInconsistent,
  schedNotPermitted,
  schedRtBudget,
  ttyStdin,
  ttyIndexBusy,
  ttyExternal,
  ttyOtherFile,
  ttyDeviceMissing,
  ttyControlling,
  lsmMismatch,
  apparmorProfileMissing,
  seccompFilterMissing,
  seccompUnsupported,
  seccompSuspend,
  deathSignalInvalid,
  rlimitLowered,
  oomScore,
  inheritedNarrower,
  idsUnmapped,
  capabilitiesMissing,
  dumpableLost,
  zombieExitCode,
  rootDeathSignal,
  bundleNamespace,
  bundleUsers,
  bundleRoot,
  bundleCapabilities,
  bundleNoNewPrivs,
  bundleSeccomp,
  bundleLabel,
  pidfileExists,
  untrustedImages,
  ...untrustedEffects,
  untrustedRoot,
];
