/**
 * Faults of CRIU's versions on kernels' versions, each with its source. Plain data: the checks that name them beforehand
 * (criu-too-old among them), `doctor` and explain read the same rows.
 */
import { compareVersions } from "./version.ts";

export interface KnownFault {
  readonly id: string;
  /** The versions that have it: `from` is the first, `fixed` the first without. */
  readonly criu: { readonly from?: string; readonly fixed?: string };
  /** The first mainline kernel that shows it; left out: any. `backported`: stable kernels before it may, too. */
  readonly kernel?: { readonly from: string; readonly backported?: true };
  /** What becomes of a dump or a restore. */
  readonly what: string;
  /** It ends every start on such a kernel, or only trees with something in them that a check looks for. */
  readonly concerns: "every start" | "dumps" | "some trees";
  /** CRIU's words; null where it says nothing. */
  readonly says: RegExp | null;
  /** The check that names it; "" where none can at a restore. */
  readonly check: string;
  readonly remedy: string;
  /** Commits, pull requests and issues; of checkpoint-restore/criu unless a repository is named. */
  readonly sources: readonly string[];
}

export const knownFaults = [
  {
    id: "vvar-vclock",
    criu: { fixed: "4.1" },
    kernel: { from: "6.13" },
    what: "every start fails: the mapping [vvar_vclock] beside the vDSO is not known",
    concerns: "every start",
    says: /Unexpected rt vDSO area bounds/,
    check: "criu-too-old",
    remedy: "CRIU 4.1 or later",
    sources: ["commit 8ee2eba47"],
  },
  {
    id: "breakpoints",
    criu: { fixed: "4.2" },
    what: "dumps and restores hang in a virtual machine where hardware breakpoints do nothing (AMD SEV without Debug Virtualization)",
    concerns: "some trees",
    says: null,
    check: "",
    remedy: "CRIU 4.2 or later, which tries them first",
    sources: ["commit 1eaa870cc", "#2658"],
  },
  {
    id: "mount-propagation",
    criu: { from: "3.17", fixed: "4.1.1" },
    kernel: { from: "6.16", backported: true },
    what: "a tree with shared or slave mounts is not restored",
    concerns: "some trees",
    says: /Failed to make mount \d+ (?:slave|shared): Invalid argument/,
    check: "mount-propagation",
    remedy: "--mntns-compat-mode, or CRIU 4.1.1 or later",
    sources: ["commit 570621a48", "PR #2695", "#2694", "torvalds/linux commit 12f147ddd6de"],
  },
  {
    id: "propagation-without-proc",
    criu: { from: "4.1.1" },
    what: "a tree with shared or slave mounts in a namespace without /proc is not restored",
    concerns: "some trees",
    says: /Failed to make mount \d+ (?:slave|shared): No such file or directory/,
    check: "mount-propagation",
    remedy: "--mntns-compat-mode",
    sources: ["commit 570621a48", "test/restore/mounts.test.ts (4.1.1, 4.2.1, 4.3)"],
  },
  {
    id: "socket-options",
    criu: { fixed: "4.2" },
    kernel: { from: "6.16" },
    what: "no tree with an IP or packet socket is dumped",
    concerns: "dumps",
    says: /sockets: Can't get 1:(?:16|34) opt: Operation not supported/,
    check: "",
    remedy: "dump with CRIU 4.2 or later",
    sources: ["commit 4b7398595", "#2705"],
  },
  {
    id: "guard-regions",
    criu: { fixed: "4.2" },
    kernel: { from: "6.13" },
    what: "guard regions of memory (MADV_GUARD_INSTALL) are neither saved nor made again",
    concerns: "some trees",
    says: null,
    check: "",
    remedy: "CRIU 4.2 or later for dump and restore",
    sources: ["commit 9c0f725a6", "commit 59b4d662a"],
  },
  {
    id: "reset-on-fork",
    criu: { fixed: "4.0" },
    what: "of a thread with SCHED_RESET_ON_FORK the priority is not saved, and no restore succeeds",
    concerns: "some trees",
    says: /Inconsistent sched params received/,
    check: "sched-priority-lost",
    remedy: "recriu sets the flag itself; --sched-prio for a lost priority; CRIU 4.0 or later",
    sources: ["commit 75fed59ef"],
  },
  {
    id: "pidfds",
    criu: { fixed: "4.1" },
    what: "a pidfd, which CRIU 4.1 and later save, is not known",
    concerns: "some trees",
    says: /Unknown file type 20/,
    check: "image-newer",
    remedy: "CRIU 4.1 or later",
    sources: ["commit 1ce408ffa"],
  },
  {
    id: "cgroup-names",
    criu: { fixed: "4.1" },
    what: "a dump saves a cgroup whose name begins with that of another beside it as that one's child, under a name that is cut",
    concerns: "dumps",
    says: null,
    check: "cgroup-missing",
    remedy:
      "--manage-cgroups=ignore, or make the cgroup before the restore; dump with CRIU 4.1 or later",
    sources: ["commit 030fa4aff"],
  },
  {
    id: "userns-ping-range",
    criu: { from: "4.1", fixed: "4.2" },
    what: "a tree in a user namespace that maps few groups, with a network of its own, is dumped so that no CRIU restores it",
    concerns: "some trees",
    says: /Failed to write net\/ipv4\/<sysctls>/,
    check: "userns-ping-range",
    remedy: "recriu leaves the setting out; dump with CRIU 4.2 or later",
    sources: ["commit 87bd09a0d", "commit 4ca74b9af"],
  },
  {
    id: "join-ns-number",
    criu: { from: "3.17" },
    what: "--join-ns with the number of a process above 65535 looks for a file of that name",
    concerns: "some trees",
    says: /Can't access join-ns file \d+: No such file or directory/,
    check: "join-ns-missing",
    remedy: "--join-ns NS:/proc/PID/ns/NS",
    sources: ["criu/namespaces.c, check_int_str", "test/restore/inet.test.ts (4.1.1)"],
  },
  {
    id: "pages-spin",
    criu: { fixed: "4.3" },
    what: "a pages image that is too short is read at its end for ever: CRIU spins and ignores SIGTERM",
    concerns: "some trees",
    says: null,
    check: "pages-short",
    remedy: "kill -KILL it; CRIU 4.3 or later ends with an error",
    sources: ["PR #2899", "test/restore/images/pages-short.test.ts (4.1.1, 4.2.1, 4.3)"],
  },
  {
    id: "pages-behind",
    criu: { fixed: "4.0" },
    what: "a mapping without content is made writable where content begins right behind it: as a reservation it counts as memory",
    concerns: "some trees",
    says: null,
    check: "memory-short",
    remedy: "sysctl -w vm.overcommit_memory=1, or CRIU 4.0 or later",
    sources: ["commit 8f0e200e6", "#2364", "test/restore/kernel/memory-short.test.ts (3.17.1)"],
  },
  {
    id: "reservations",
    criu: { fixed: "4.3" },
    what: "a large reservation of addresses (PROT_NONE) counts as memory where a child has it too, or pages come from elsewhere",
    concerns: "some trees",
    says: /Unable to map ANON_VMA: Cannot allocate memory/,
    check: "memory-short",
    remedy: "sysctl -w vm.overcommit_memory=1, or CRIU 4.3 or later",
    sources: ["PR #3010", "PR #3037", "#2364"],
  },
] as const satisfies readonly KnownFault[];

export type FaultId = (typeof knownFaults)[number]["id"];

/** The row of a fault. */
export const knownFault = (id: FaultId): KnownFault =>
  knownFaults.find((fault) => fault.id === id)!;

/** For people: `from 3.17 on and before 4.1.1 on Linux 6.16 and later and stable updates of others`. */
export const versionsOf = ({ criu, kernel }: KnownFault): string =>
  [
    criu.from && `from ${criu.from} on`,
    criu.fixed && `${criu.from === undefined ? "" : "and "}before ${criu.fixed}`,
    kernel && `on Linux ${kernel.from} and later`,
    kernel?.backported && "and stable updates of others",
  ]
    .filter(Boolean)
    .join(" ");

/** Whether a CRIU has a fault; one that does not tell its version may. */
export const criuHas = ({ criu }: KnownFault, version: string | undefined): boolean =>
  version === undefined ||
  ((criu.from === undefined || compareVersions(version, criu.from) >= 0) &&
    (criu.fixed === undefined || compareVersions(version, criu.fixed) < 0));

/** Whether it shows on a kernel (release of uname(2)): "maybe" where only its stable updates tell. */
export function showsOn({ kernel }: KnownFault, release: string): "yes" | "maybe" | "no" {
  if (kernel === undefined || compareVersions(release, kernel.from) >= 0) return "yes";
  return kernel.backported === true ? "maybe" : "no";
}
