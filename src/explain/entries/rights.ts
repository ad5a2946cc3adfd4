/** Rights, ids, labels, filters. */
import type { Entry } from "../entry.ts";

export const rights: readonly Entry[] = [
  {
    pattern: /CRIU needs to have the CAP_SYS_ADMIN|Running as non-root requires '--unprivileged'/,
    check: "privilege",
    remedy: "run it as root; with CAP_CHECKPOINT_RESTORE alone: --unprivileged",
    since: "3.18 has that option",
    example: "CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE capability:",
    from: "staged",
  },
  {
    pattern: /Unable create a network namespace: Operation not permitted/,
    check: "privilege",
    cause: "root has no CAP_SYS_ADMIN here",
    remedy:
      "--unprivileged, with CAP_CHECKPOINT_RESTORE; or a container or unit with CAP_SYS_ADMIN",
    since: "3.18 has that option",
    example: "net: Unable create a network namespace: Operation not permitted",
    from: "staged",
  },
  {
    pattern: /Unable to (?:restore capabilities|drop capability|raise ambient capability)/,
    check: "capabilities-missing",
    remedy:
      "run CRIU with all capabilities: capsh --print shows what is missing; in a container: --privileged",
    issues: ["#499"],
    example: "Unable to restore capabilities: -1",
    from: "staged",
  },
  {
    pattern: /Unable to set real, effective and saved (?:user|group) ID|Can't setgroups/,
    check: "ids-unmapped",
    remedy: "restore as root; in a user namespace, map the tree's ids: cat /proc/self/uid_map",
    example: "Unable to set real, effective and saved user ID: -22",
    from: "source",
  },
  {
    pattern: /mismatched lsm types|can't render profile/,
    check: "lsm-mismatch",
    remedy: "restore where the same security module runs, with its file system mounted",
    issues: ["#1267", "#323"],
    example: "mismatched lsm types and lsm profile specified",
    from: "staged",
  },
  {
    pattern: /can't write lsm profile (?<errno>-?\d+)/,
    check: "apparmor-profile-missing",
    remedy: "apparmor_parser -r /etc/apparmor.d/PROFILE; or --lsm-profile TYPE:NAME",
    since: "4.1 heeds it for SELinux",
    issues: ["containers/podman#12437", "PR #2587"],
    example: "can't write lsm profile -2",
    from: "issue",
  },
  {
    pattern: /invalid argument .* for --lsm-profile|LSM specified but \w+ not supported/,
    check: "lsm-option",
    remedy: "--lsm-profile TYPE:NAME with the type that runs here",
    example: "invalid argument unconfined for --lsm-profile",
    from: "staged",
  },
  {
    pattern: /SECCOMP_SET_MODE_FILTER returned/,
    check: "seccomp-unsupported",
    remedy: "cat /proc/sys/kernel/seccomp/actions_avail: a kernel with what the filter asks for",
    example: "seccomp: SECCOMP_SET_MODE_FILTER returned -22",
    from: "source",
  },
  {
    pattern: /Corrupted filter index on tid/,
    check: "seccomp-filter-missing",
    remedy: "copy the whole checkpoint again: seccomp.img is missing or of another dump",
    example: "Corrupted filter index on tid 4711 (3 > 0)",
    from: "staged",
  },
  {
    pattern: /failed to suspend seccomp/,
    check: "seccomp-suspend",
    remedy:
      "run CRIU with CAP_SYS_ADMIN, and outside a seccomp filter (docker: --security-opt seccomp=unconfined)",
    example: "failed to suspend seccomp, restore will probably fail...",
    from: "source",
  },
  {
    pattern: /Setting loginuid for .* task failed/,
    check: "loginuid-immutable",
    remedy:
      "run CRIU with CAP_AUDIT_CONTROL; auditctl --loginuid-immutable cannot be undone before a boot",
    example: "Setting loginuid for CT init task failed, CAP_AUDIT_CONTROL?",
    from: "staged",
  },
  {
    pattern: /Pdeath signal is too big/,
    check: "pdeath-signal-invalid",
    remedy: "take another copy of the checkpoint",
    example: "Pdeath signal is too big",
    from: "staged",
  },
];
