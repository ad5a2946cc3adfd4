/** The catalogue: every check, by group and id. Written from the folders by `npm run docs`. */
import type { Check, Named } from "./finding.ts";
import { allowUprobesNeeded } from "./criu/allow-uprobes-needed.ts";
import { autoDedup } from "./criu/auto-dedup.ts";
import { breakpointsMissing } from "./criu/breakpoints-missing.ts";
import { criuMissing } from "./criu/criu-missing.ts";
import { criuTooOld } from "./criu/criu-too-old.ts";
import { criuUnstartable } from "./criu/criu-unstartable.ts";
import { lazyPagesSocket } from "./criu/lazy-pages-socket.ts";
import { optionIgnored } from "./criu/option-ignored.ts";
import { optionUnknown } from "./criu/option-unknown.ts";
import { pidfileExists } from "./criu/pidfile-exists.ts";
import { pluginBroken } from "./criu/plugin-broken.ts";
import { pluginMissing } from "./criu/plugin-missing.ts";
import { scriptNotExecutable } from "./criu/script-not-executable.ts";
import { tmpMissing } from "./criu/tmp-missing.ts";
import { workDirUnwritable } from "./criu/work-dir-unwritable.ts";
import { workFilePlanted } from "./criu/work-file-planted.ts";
import { writableByOthers } from "./criu/writable-by-others.ts";
import { dumpFailed } from "./images/dump-failed.ts";
import { fieldUnknown } from "./images/field-unknown.ts";
import { imageAltered } from "./images/image-altered.ts";
import { imageCompressed } from "./images/image-compressed.ts";
import { imageDeprecated } from "./images/image-deprecated.ts";
import { imageForged } from "./images/image-forged.ts";
import { imageLazy } from "./images/image-lazy.ts";
import { imageMissing } from "./images/image-missing.ts";
import { imageNewer } from "./images/image-newer.ts";
import { imageParent } from "./images/image-parent.ts";
import { imageTruncated } from "./images/image-truncated.ts";
import { imageVersion } from "./images/image-version.ts";
import { imageVmas } from "./images/image-vmas.ts";
import { noCheckpoint } from "./images/no-checkpoint.ts";
import { pagesLeftOut } from "./images/pages-left-out.ts";
import { pagesShort } from "./images/pages-short.ts";
import { sealSignatureWrong } from "./images/seal-signature-wrong.ts";
import { sealUnsigned } from "./images/seal-unsigned.ts";
import { sigactionsCount } from "./images/sigactions-count.ts";
import { adoptedChildLost } from "./tree/adopted-child-lost.ts";
import { alreadyRunning } from "./tree/already-running.ts";
import { groupLeaderLost } from "./tree/group-leader-lost.ts";
import { inheritedNarrower } from "./tree/inherited-narrower.ts";
import { joinNsMissing } from "./tree/join-ns-missing.ts";
import { namespaceFile } from "./tree/namespace-file.ts";
import { namespaceLimit } from "./tree/namespace-limit.ts";
import { nestedNamespace } from "./tree/nested-namespace.ts";
import { oomScoreInherited } from "./tree/oom-score-inherited.ts";
import { pdeathSignalInvalid } from "./tree/pdeath-signal-invalid.ts";
import { pidInUse } from "./tree/pid-in-use.ts";
import { pidMax } from "./tree/pid-max.ts";
import { pidNamespaceEnds } from "./tree/pid-namespace-ends.ts";
import { pidNamespaceExternal } from "./tree/pid-namespace-external.ts";
import { pidNamespaceInit } from "./tree/pid-namespace-init.ts";
import { rootPdeathSignal } from "./tree/root-pdeath-signal.ts";
import { schedDeadline } from "./tree/sched-deadline.ts";
import { schedInconsistent } from "./tree/sched-inconsistent.ts";
import { schedNotPermitted } from "./tree/sched-not-permitted.ts";
import { schedPriorityLost } from "./tree/sched-priority-lost.ts";
import { schedResetOnFork } from "./tree/sched-reset-on-fork.ts";
import { schedRtBudget } from "./tree/sched-rt-budget.ts";
import { sessionIntersects } from "./tree/session-intersects.ts";
import { sessionLeaderMissing } from "./tree/session-leader-missing.ts";
import { shellJobSession } from "./tree/shell-job-session.ts";
import { timeNamespace } from "./tree/time-namespace.ts";
import { timerId } from "./tree/timer-id.ts";
import { treeCorrupt } from "./tree/tree-corrupt.ts";
import { ttyControlling } from "./tree/tty-controlling.ts";
import { ttyDeviceMissing } from "./tree/tty-device-missing.ts";
import { ttyExternal } from "./tree/tty-external.ts";
import { ttyIndexBusy } from "./tree/tty-index-busy.ts";
import { ttyNoTask } from "./tree/tty-no-task.ts";
import { ttyOtherFile } from "./tree/tty-other-file.ts";
import { ttyShellJob } from "./tree/tty-shell-job.ts";
import { ttyStdin } from "./tree/tty-stdin.ts";
import { usernsAlone } from "./tree/userns-alone.ts";
import { usernsMap } from "./tree/userns-map.ts";
import { zombieExitCode } from "./tree/zombie-exit-code.ts";
import { cgroupCopied } from "./cgroups/cgroup-copied.ts";
import { cgroupFrozen } from "./cgroups/cgroup-frozen.ts";
import { cgroupMissing } from "./cgroups/cgroup-missing.ts";
import { cgroupNamespace } from "./cgroups/cgroup-namespace.ts";
import { cgroupOption } from "./cgroups/cgroup-option.ts";
import { cgroupOwner } from "./cgroups/cgroup-owner.ts";
import { cgroupProperty } from "./cgroups/cgroup-property.ts";
import { cgroupSetMissing } from "./cgroups/cgroup-set-missing.ts";
import { cgroupThread } from "./cgroups/cgroup-thread.ts";
import { externalMountSourceMissing } from "./mounts/external-mount-source-missing.ts";
import { externalMountUnmapped } from "./mounts/external-mount-unmapped.ts";
import { filesystemUnknown } from "./mounts/filesystem-unknown.ts";
import { mountAutodetected } from "./mounts/mount-autodetected.ts";
import { mountDeviceMissing } from "./mounts/mount-device-missing.ts";
import { mountGroup } from "./mounts/mount-group.ts";
import { mountOfHost } from "./mounts/mount-of-host.ts";
import { mountOutside } from "./mounts/mount-outside.ts";
import { mountPropagation } from "./mounts/mount-propagation.ts";
import { mountSharing } from "./mounts/mount-sharing.ts";
import { mountUnknown } from "./mounts/mount-unknown.ts";
import { mountpointMissing } from "./mounts/mountpoint-missing.ts";
import { rootIgnored } from "./mounts/root-ignored.ts";
import { rootMissing } from "./mounts/root-missing.ts";
import { rootNeeded } from "./mounts/root-needed.ts";
import { rootReadOnly } from "./mounts/root-read-only.ts";
import { aioLimit } from "./files/aio-limit.ts";
import { cwdMissing } from "./files/cwd-missing.ts";
import { epollTarget } from "./files/epoll-target.ts";
import { externalFile } from "./files/external-file.ts";
import { fdTooBig } from "./files/fd-too-big.ts";
import { fifoMissing } from "./files/fifo-missing.ts";
import { fileBuildId } from "./files/file-build-id.ts";
import { fileChanged } from "./files/file-changed.ts";
import { fileDiffers } from "./files/file-differs.ts";
import { fileMissing } from "./files/file-missing.ts";
import { fileOwnerMissing } from "./files/file-owner-missing.ts";
import { fileReplaced } from "./files/file-replaced.ts";
import { fileUnwritable } from "./files/file-unwritable.ts";
import { ghostFileExists } from "./files/ghost-file-exists.ts";
import { ghostRights } from "./files/ghost-rights.ts";
import { ghostUnwritable } from "./files/ghost-unwritable.ts";
import { inotifyLimit } from "./files/inotify-limit.ts";
import { linkRemapMissing } from "./files/link-remap-missing.ts";
import { lockMapped } from "./files/lock-mapped.ts";
import { locksHeld } from "./files/locks-held.ts";
import { locksIgnored } from "./files/locks-ignored.ts";
import { pathMapped } from "./files/path-mapped.ts";
import { pipeSize } from "./files/pipe-size.ts";
import { procThreadFile } from "./files/proc-thread-file.ts";
import { timerfdExpired } from "./files/timerfd-expired.ts";
import { watchPathMissing } from "./files/watch-path-missing.ts";
import { addressReplaced } from "./sockets/address-replaced.ts";
import { externalNetns } from "./sockets/external-netns.ts";
import { netDeviceMissing } from "./sockets/net-device-missing.ts";
import { netLink } from "./sockets/net-link.ts";
import { netToolsMissing } from "./sockets/net-tools-missing.ts";
import { pingGroupRange } from "./sockets/ping-group-range.ts";
import { routeLinkdown } from "./sockets/route-linkdown.ts";
import { sysctlMissing } from "./sockets/sysctl-missing.ts";
import { tcpAddressMissing } from "./sockets/tcp-address-missing.ts";
import { tcpCloseNeeded } from "./sockets/tcp-close-needed.ts";
import { tcpConnectionBusy } from "./sockets/tcp-connection-busy.ts";
import { tcpEstablished } from "./sockets/tcp-established.ts";
import { tcpPortBusy } from "./sockets/tcp-port-busy.ts";
import { tcpStreamMissing } from "./sockets/tcp-stream-missing.ts";
import { udpPortBusy } from "./sockets/udp-port-busy.ts";
import { unixPeerDown } from "./sockets/unix-peer-down.ts";
import { unixPeerMissing } from "./sockets/unix-peer-missing.ts";
import { unixQueueTooLong } from "./sockets/unix-queue-too-long.ts";
import { unixSocketBusy } from "./sockets/unix-socket-busy.ts";
import { unixSocketDir } from "./sockets/unix-socket-dir.ts";
import { unixSocketDirOwner } from "./sockets/unix-socket-dir-owner.ts";
import { unixSocketExternal } from "./sockets/unix-socket-external.ts";
import { unixSocketGhost } from "./sockets/unix-socket-ghost.ts";
import { unixSocketUnwritable } from "./sockets/unix-socket-unwritable.ts";
import { usernsPingRange } from "./sockets/userns-ping-range.ts";
import { addressSpace } from "./kernel/address-space.ts";
import { archMismatch } from "./kernel/arch-mismatch.ts";
import { cgroupMemoryShort } from "./kernel/cgroup-memory-short.ts";
import { cpuFeatures } from "./kernel/cpu-features.ts";
import { cpuUnknown } from "./kernel/cpu-unknown.ts";
import { criuOlder } from "./kernel/criu-older.ts";
import { gpuDiffers } from "./kernel/gpu-differs.ts";
import { gpuMissing } from "./kernel/gpu-missing.ts";
import { guardPages } from "./kernel/guard-pages.ts";
import { hugepagesShort } from "./kernel/hugepages-short.ts";
import { kernelOlder } from "./kernel/kernel-older.ts";
import { lsmDiffers } from "./kernel/lsm-differs.ts";
import { mappingsTooMany } from "./kernel/mappings-too-many.ts";
import { memfdExecutable } from "./kernel/memfd-executable.ts";
import { memoryShort } from "./kernel/memory-short.ts";
import { mmapMinAddr } from "./kernel/mmap-min-addr.ts";
import { pageSizeDiffers } from "./kernel/page-size-differs.ts";
import { processorsFewer } from "./kernel/processors-fewer.ts";
import { rseqMissing } from "./kernel/rseq-missing.ts";
import { vdsoMissing } from "./kernel/vdso-missing.ts";
import { apparmorProfileMissing } from "./rights/apparmor-profile-missing.ts";
import { capabilitiesMissing } from "./rights/capabilities-missing.ts";
import { dumpableLost } from "./rights/dumpable-lost.ts";
import { idsUnmapped } from "./rights/ids-unmapped.ts";
import { loginuidImmutable } from "./rights/loginuid-immutable.ts";
import { lsmMismatch } from "./rights/lsm-mismatch.ts";
import { lsmOption } from "./rights/lsm-option.ts";
import { lsmUnwritable } from "./rights/lsm-unwritable.ts";
import { privilege } from "./rights/privilege.ts";
import { rlimitLowered } from "./rights/rlimit-lowered.ts";
import { seccompFilterMissing } from "./rights/seccomp-filter-missing.ts";
import { seccompSuspend } from "./rights/seccomp-suspend.ts";
import { seccompUnsupported } from "./rights/seccomp-unsupported.ts";
import { bundleCapabilities } from "./bundle/bundle-capabilities.ts";
import { bundleLabel } from "./bundle/bundle-label.ts";
import { bundleNamespace } from "./bundle/bundle-namespace.ts";
import { bundleNoNewPrivs } from "./bundle/bundle-no-new-privs.ts";
import { bundleRoot } from "./bundle/bundle-root.ts";
import { bundleSeccomp } from "./bundle/bundle-seccomp.ts";
import { bundleUsers } from "./bundle/bundle-users.ts";
import { importCommand } from "./import/import-command.ts";
import { importConflict } from "./import/import-conflict.ts";
import { importRefused } from "./import/import-refused.ts";
import { untrustedCgroup } from "./untrusted/untrusted-cgroup.ts";
import { untrustedDelete } from "./untrusted/untrusted-delete.ts";
import { untrustedDevice } from "./untrusted/untrusted-device.ts";
import { untrustedImages } from "./untrusted/untrusted-images.ts";
import { untrustedKernel } from "./untrusted/untrusted-kernel.ts";
import { untrustedLimit } from "./untrusted/untrusted-limit.ts";
import { untrustedMount } from "./untrusted/untrusted-mount.ts";
import { untrustedNetwork } from "./untrusted/untrusted-network.ts";
import { untrustedProcWrite } from "./untrusted/untrusted-proc-write.ts";
import { untrustedRead } from "./untrusted/untrusted-read.ts";
import { untrustedRoot } from "./untrusted/untrusted-root.ts";
import { untrustedSched } from "./untrusted/untrusted-sched.ts";
import { untrustedSetuid } from "./untrusted/untrusted-setuid.ts";
import { untrustedSignal } from "./untrusted/untrusted-signal.ts";
import { untrustedSocket } from "./untrusted/untrusted-socket.ts";
import { untrustedWatch } from "./untrusted/untrusted-watch.ts";
import { untrustedWrite } from "./untrusted/untrusted-write.ts";

const groups = {
  criu: {
    "allow-uprobes-needed": allowUprobesNeeded,
    "auto-dedup": autoDedup,
    "breakpoints-missing": breakpointsMissing,
    "criu-missing": criuMissing,
    "criu-too-old": criuTooOld,
    "criu-unstartable": criuUnstartable,
    "lazy-pages-socket": lazyPagesSocket,
    "option-ignored": optionIgnored,
    "option-unknown": optionUnknown,
    "pidfile-exists": pidfileExists,
    "plugin-broken": pluginBroken,
    "plugin-missing": pluginMissing,
    "script-not-executable": scriptNotExecutable,
    "tmp-missing": tmpMissing,
    "work-dir-unwritable": workDirUnwritable,
    "work-file-planted": workFilePlanted,
    "writable-by-others": writableByOthers,
  },
  images: {
    "dump-failed": dumpFailed,
    "field-unknown": fieldUnknown,
    "image-altered": imageAltered,
    "image-compressed": imageCompressed,
    "image-deprecated": imageDeprecated,
    "image-forged": imageForged,
    "image-lazy": imageLazy,
    "image-missing": imageMissing,
    "image-newer": imageNewer,
    "image-parent": imageParent,
    "image-truncated": imageTruncated,
    "image-version": imageVersion,
    "image-vmas": imageVmas,
    "no-checkpoint": noCheckpoint,
    "pages-left-out": pagesLeftOut,
    "pages-short": pagesShort,
    "seal-signature-wrong": sealSignatureWrong,
    "seal-unsigned": sealUnsigned,
    "sigactions-count": sigactionsCount,
  },
  tree: {
    "adopted-child-lost": adoptedChildLost,
    "already-running": alreadyRunning,
    "group-leader-lost": groupLeaderLost,
    "inherited-narrower": inheritedNarrower,
    "join-ns-missing": joinNsMissing,
    "namespace-file": namespaceFile,
    "namespace-limit": namespaceLimit,
    "nested-namespace": nestedNamespace,
    "oom-score-inherited": oomScoreInherited,
    "pdeath-signal-invalid": pdeathSignalInvalid,
    "pid-in-use": pidInUse,
    "pid-max": pidMax,
    "pid-namespace-ends": pidNamespaceEnds,
    "pid-namespace-external": pidNamespaceExternal,
    "pid-namespace-init": pidNamespaceInit,
    "root-pdeath-signal": rootPdeathSignal,
    "sched-deadline": schedDeadline,
    "sched-inconsistent": schedInconsistent,
    "sched-not-permitted": schedNotPermitted,
    "sched-priority-lost": schedPriorityLost,
    "sched-reset-on-fork": schedResetOnFork,
    "sched-rt-budget": schedRtBudget,
    "session-intersects": sessionIntersects,
    "session-leader-missing": sessionLeaderMissing,
    "shell-job-session": shellJobSession,
    "time-namespace": timeNamespace,
    "timer-id": timerId,
    "tree-corrupt": treeCorrupt,
    "tty-controlling": ttyControlling,
    "tty-device-missing": ttyDeviceMissing,
    "tty-external": ttyExternal,
    "tty-index-busy": ttyIndexBusy,
    "tty-no-task": ttyNoTask,
    "tty-other-file": ttyOtherFile,
    "tty-shell-job": ttyShellJob,
    "tty-stdin": ttyStdin,
    "userns-alone": usernsAlone,
    "userns-map": usernsMap,
    "zombie-exit-code": zombieExitCode,
  },
  cgroups: {
    "cgroup-copied": cgroupCopied,
    "cgroup-frozen": cgroupFrozen,
    "cgroup-missing": cgroupMissing,
    "cgroup-namespace": cgroupNamespace,
    "cgroup-option": cgroupOption,
    "cgroup-owner": cgroupOwner,
    "cgroup-property": cgroupProperty,
    "cgroup-set-missing": cgroupSetMissing,
    "cgroup-thread": cgroupThread,
  },
  mounts: {
    "external-mount-source-missing": externalMountSourceMissing,
    "external-mount-unmapped": externalMountUnmapped,
    "filesystem-unknown": filesystemUnknown,
    "mount-autodetected": mountAutodetected,
    "mount-device-missing": mountDeviceMissing,
    "mount-group": mountGroup,
    "mount-of-host": mountOfHost,
    "mount-outside": mountOutside,
    "mount-propagation": mountPropagation,
    "mount-sharing": mountSharing,
    "mount-unknown": mountUnknown,
    "mountpoint-missing": mountpointMissing,
    "root-ignored": rootIgnored,
    "root-missing": rootMissing,
    "root-needed": rootNeeded,
    "root-read-only": rootReadOnly,
  },
  files: {
    "aio-limit": aioLimit,
    "cwd-missing": cwdMissing,
    "epoll-target": epollTarget,
    "external-file": externalFile,
    "fd-too-big": fdTooBig,
    "fifo-missing": fifoMissing,
    "file-build-id": fileBuildId,
    "file-changed": fileChanged,
    "file-differs": fileDiffers,
    "file-missing": fileMissing,
    "file-owner-missing": fileOwnerMissing,
    "file-replaced": fileReplaced,
    "file-unwritable": fileUnwritable,
    "ghost-file-exists": ghostFileExists,
    "ghost-rights": ghostRights,
    "ghost-unwritable": ghostUnwritable,
    "inotify-limit": inotifyLimit,
    "link-remap-missing": linkRemapMissing,
    "lock-mapped": lockMapped,
    "locks-held": locksHeld,
    "locks-ignored": locksIgnored,
    "path-mapped": pathMapped,
    "pipe-size": pipeSize,
    "proc-thread-file": procThreadFile,
    "timerfd-expired": timerfdExpired,
    "watch-path-missing": watchPathMissing,
  },
  sockets: {
    "address-replaced": addressReplaced,
    "external-netns": externalNetns,
    "net-device-missing": netDeviceMissing,
    "net-link": netLink,
    "net-tools-missing": netToolsMissing,
    "ping-group-range": pingGroupRange,
    "route-linkdown": routeLinkdown,
    "sysctl-missing": sysctlMissing,
    "tcp-address-missing": tcpAddressMissing,
    "tcp-close-needed": tcpCloseNeeded,
    "tcp-connection-busy": tcpConnectionBusy,
    "tcp-established": tcpEstablished,
    "tcp-port-busy": tcpPortBusy,
    "tcp-stream-missing": tcpStreamMissing,
    "udp-port-busy": udpPortBusy,
    "unix-peer-down": unixPeerDown,
    "unix-peer-missing": unixPeerMissing,
    "unix-queue-too-long": unixQueueTooLong,
    "unix-socket-busy": unixSocketBusy,
    "unix-socket-dir": unixSocketDir,
    "unix-socket-dir-owner": unixSocketDirOwner,
    "unix-socket-external": unixSocketExternal,
    "unix-socket-ghost": unixSocketGhost,
    "unix-socket-unwritable": unixSocketUnwritable,
    "userns-ping-range": usernsPingRange,
  },
  kernel: {
    "address-space": addressSpace,
    "arch-mismatch": archMismatch,
    "cgroup-memory-short": cgroupMemoryShort,
    "cpu-features": cpuFeatures,
    "cpu-unknown": cpuUnknown,
    "criu-older": criuOlder,
    "gpu-differs": gpuDiffers,
    "gpu-missing": gpuMissing,
    "guard-pages": guardPages,
    "hugepages-short": hugepagesShort,
    "kernel-older": kernelOlder,
    "lsm-differs": lsmDiffers,
    "mappings-too-many": mappingsTooMany,
    "memfd-executable": memfdExecutable,
    "memory-short": memoryShort,
    "mmap-min-addr": mmapMinAddr,
    "page-size-differs": pageSizeDiffers,
    "processors-fewer": processorsFewer,
    "rseq-missing": rseqMissing,
    "vdso-missing": vdsoMissing,
  },
  rights: {
    "apparmor-profile-missing": apparmorProfileMissing,
    "capabilities-missing": capabilitiesMissing,
    "dumpable-lost": dumpableLost,
    "ids-unmapped": idsUnmapped,
    "loginuid-immutable": loginuidImmutable,
    "lsm-mismatch": lsmMismatch,
    "lsm-option": lsmOption,
    "lsm-unwritable": lsmUnwritable,
    privilege: privilege,
    "rlimit-lowered": rlimitLowered,
    "seccomp-filter-missing": seccompFilterMissing,
    "seccomp-suspend": seccompSuspend,
    "seccomp-unsupported": seccompUnsupported,
  },
  bundle: {
    "bundle-capabilities": bundleCapabilities,
    "bundle-label": bundleLabel,
    "bundle-namespace": bundleNamespace,
    "bundle-no-new-privs": bundleNoNewPrivs,
    "bundle-root": bundleRoot,
    "bundle-seccomp": bundleSeccomp,
    "bundle-users": bundleUsers,
  },
  import: {
    "import-command": importCommand,
    "import-conflict": importConflict,
    "import-refused": importRefused,
  },
  untrusted: {
    "untrusted-cgroup": untrustedCgroup,
    "untrusted-delete": untrustedDelete,
    "untrusted-device": untrustedDevice,
    "untrusted-images": untrustedImages,
    "untrusted-kernel": untrustedKernel,
    "untrusted-limit": untrustedLimit,
    "untrusted-mount": untrustedMount,
    "untrusted-network": untrustedNetwork,
    "untrusted-proc-write": untrustedProcWrite,
    "untrusted-read": untrustedRead,
    "untrusted-root": untrustedRoot,
    "untrusted-sched": untrustedSched,
    "untrusted-setuid": untrustedSetuid,
    "untrusted-signal": untrustedSignal,
    "untrusted-socket": untrustedSocket,
    "untrusted-watch": untrustedWatch,
    "untrusted-write": untrustedWrite,
  },
} as const satisfies Record<string, Record<string, Check>>;

export type Group = keyof typeof groups;
type IdOf<G> = G extends Group ? keyof (typeof groups)[G] : never;
export type CheckId = IdOf<Group>;

export const catalogue: readonly Named[] = Object.entries(groups).flatMap(([group, checks]) =>
  Object.entries(checks).map(([id, check]): Named => ({
    ...check,
    id: id as CheckId,
    group: group as Group,
  })),
);
