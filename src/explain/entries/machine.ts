/** Images, memory, mounts, cgroups, rights, kernel and processor, and CRIU itself. */
import type { Entry } from "../entry.ts";

export const images: readonly Entry[] = [
  {
    pattern: /Unexpected EOF on \(empty-image\)|Can't open core data for|No IDS for root task/,
    check: "image-missing",
    also: ["cpu-features", "tcp-stream-missing"],
    remedy: "copy the checkpoint again, whole",
    issues: ["#1523"],
    example: "Unexpected EOF on (empty-image)",
    from: "staged",
  },
  {
    pattern: /Magic doesn't match for|Read \d+ bytes while \d+ expected|Failed unpacking object/,
    check: "image-truncated",
    remedy: "copy the checkpoint again, and compare: sha256sum",
    example: "Read 3 bytes while 12 expected on/from core-12.img",
    from: "staged",
  },
  {
    pattern:
      /Preadv .*returned 0|No pages-(?<id>\d+)\.img image|Can't read pages data|Can't read async pr bytes/,
    check: "pages-short",
    also: ["image-parent"],
    remedy: "copy the checkpoint again, whole; a CRIU that reads for ever has to be killed",
    issues: ["#424", "PR #2899"],
    example: "No pages-1.img image",
    from: "source",
  },
  {
    pattern:
      /Can't open parent path|No parent for snapshot pagemap|Missing [0-9a-f]+ in parent pagemap/,
    check: "image-parent",
    remedy: "copy the earlier dumps too: `parent` is a link to the one before",
    example: "No parent for snapshot pagemap",
    from: "staged",
  },
  {
    pattern: /VMA-s are not sorted|Page entry address \w+ outside of VMA/,
    check: "image-vmas",
    remedy:
      "copy the whole checkpoint again; of a machine with 5-level paging: restore on one like it",
    issues: ["#706"],
    example: "Page entry address 7ffc outside of VMA",
    from: "staged",
  },
  {
    pattern: /Not supported images version|Too old image, no longer supported|Corrupted root cgset/,
    check: "image-version",
    remedy: "restore with the CRIU that dumped",
    example: "Not supported images version 9",
    from: "staged",
  },
  {
    pattern: /Deprecated functionality \((?<what>.+)\) rejected/,
    check: "image-deprecated",
    remedy: "--deprecated",
    example: "Deprecated functionality (TTY w/o regfile) rejected.",
    from: "staged",
  },
  {
    pattern: /connect to lazy-pages\.socket failed/,
    check: "lazy-pages-socket",
    remedy: "start it first: criu lazy-pages -D DIR -W WORK",
    example: "uffd: connect to lazy-pages.socket failed: No such file or directory",
    from: "staged",
  },
  {
    pattern: /Missing required plugin: (?<plugin>\S+)/,
    check: "plugin-missing",
    remedy: "install $<plugin>, or name its directory by --libdir",
    issues: ["PR #2489", "#2521"],
    example: "Missing required plugin: cuda_plugin",
    from: "staged",
  },
  {
    pattern:
      /Unable to load (?<path>\S+\.so)|Unable to open directory (?<dir>\S+)|Corrupted plugin|Failed in init\(\d+\) of/,
    check: "plugin-broken",
    remedy: "a plugin of the same version as CRIU; without need of one: --libdir EMPTY-DIRECTORY",
    issues: ["#2521", "#2531"],
    example:
      "Unable to load /usr/lib/criu/cuda_plugin.so: undefined symbol: check_and_remove_inventory_plugin",
    from: "issue",
  },
  {
    pattern: /Bad number of sigactions in the image/,
    check: "sigactions-count",
    remedy: "take another copy of the checkpoint",
    example: "Bad number of sigactions in the image (3, want 62)",
    from: "staged",
  },
];

export const mounts: readonly Entry[] = [
  {
    pattern: /The --root option is required to restore a mount namespace/,
    check: "root-needed",
    remedy: "--root DIR, which holds its root file system",
    issues: ["#462"],
    example: "mnt: The --root option is required to restore a mount namespace",
    from: "staged",
  },
  {
    pattern: /No mapping for (?<mount>\d+:\S+) mountpoint/,
    check: "external-mount-unmapped",
    remedy: "--external mnt[KEY]:PATH; recriu show -D DIR lists the keys",
    issues: ["#462", "#1754"],
    example: "mnt: No mapping for 640:/data mountpoint",
    from: "staged",
  },
  {
    pattern: /is autodetected external mount/,
    check: "mount-autodetected",
    remedy: "--external mnt[], if the tree may see that of this machine",
    example: 'mnt: Mount 640:/data is autodetected external mount. Try "--ext-mount-map auto"',
    from: "source",
  },
  {
    pattern: /Failed to (?:open_tree|move_mount from) (?<path>\S+)/,
    check: "external-mount-source-missing",
    remedy: "ls -ld $<path>: it has to be there, a directory for a directory, a file for a file",
    example: "mnt-v2: Failed to open_tree /srv/data: No such file or directory",
    from: "staged",
  },
  {
    pattern: /Can't stat mountpoint|Can't bind-mount at/,
    check: "mountpoint-missing",
    also: ["external-mount-source-missing"],
    remedy: "make the mount point below --root, as a file or a directory",
    example:
      "mnt-v2: Can't stat mountpoint /tmp/.criu.mntns.x/mnt-0000000009: No such file or directory",
    from: "staged",
  },
  {
    pattern: /No device for (?<at>\S+) mount/,
    check: "mount-device-missing",
    remedy: "--external dev[NAME]:/dev/DEVICE",
    example: "mnt: No device for /data(640) mount",
    from: "staged",
  },
  {
    pattern: /Can't mount at\b|Unable to mount (?<root>\S+)/,
    check: "filesystem-unknown",
    also: ["root-missing", "mountpoint-missing"],
    remedy:
      "modprobe the file system; grep NAME /proc/filesystems; with --root check that it is a directory",
    example: "mnt-v2: Can't mount at /tmp/.criu.mntns.x/mnt-0000000009: No such device",
    from: "staged",
  },
  {
    pattern: /has unreachable sharing/,
    check: "mount-sharing",
    remedy:
      "--enable-external-sharing --enable-external-masters at dump and restore; --mntns-compat-mode",
    since: "3.17",
    example: "mnt-v2: Sharing group (7, 0) has unreachable sharing.",
    from: "source",
  },
];

export const cgroups: readonly Entry[] = [
  {
    pattern:
      /cg: (?:Can't move (?:.* )?into|Can't mount controller dir|Can't make cgroup dir|Cgroup dir .* doesn't exist)/,
    check: "cgroup-missing",
    cause: "the cgroups of the dump cannot be had on this machine",
    remedy: "--manage-cgroups=ignore leaves the tree in the cgroup that the restore is run from",
    since: "3.17",
    issues: ["#1793", "PR #1800", "#1524", "#453"],
    example: "cg: Can't move into unified//demo/cgroup.procs (-1/-1): Operation not supported",
    from: "staged",
  },
  {
    pattern: /cg: (?:bad cgroup path: (?<path>\S+):|Failed writing (?<value>.*) to (?<file>\S+))/,
    check: "cgroup-property",
    cause: "a setting of a cgroup is refused: $<path>$<file>",
    remedy:
      "make the cgroup beforehand: CRIU leaves the settings of one that is there alone; or --manage-cgroups=ignore",
    issues: ["#16"],
    example: "cg: Failed writing 0-63 to cpuset//demo/cpuset.cpus: Invalid argument",
    from: "staged",
  },
  {
    pattern: /cg: (?:No set (?<set>\S+) found|No cg_controller_entry found)/,
    check: "cgroup-set-missing",
    remedy: "--manage-cgroups=ignore",
    example: "cg: No set 77 found",
    from: "staged",
  },
  {
    pattern: /cgroupd: Can't move thread/,
    check: "cgroup-thread",
    remedy: "--manage-cgroups=ignore",
    example: "cgroupd: Can't move thread 12 into pids//demo",
    from: "source",
  },
  {
    pattern: /couldn't set cgns prefix|couldn't unshare cgns/,
    check: "cgroup-namespace",
    remedy: "--manage-cgroups=ignore, which leaves the cgroup namespace out",
    example: "cg: couldn't set cgns prefix pids//demo/cgroup.procs",
    from: "source",
  },
  {
    pattern: /cg: (?:Can't open cgyard|CG paths mismatch)/,
    check: "cgroup-option",
    remedy:
      "--cgroup-yard names a directory with cgroups mounted; of --cgroup-root one for each controller",
    example: "cg: Can't open cgyard: No such file or directory",
    from: "staged",
  },
];

export const memory: readonly Entry[] = [
  {
    pattern: /mapping with (?:0x)?f{9,}4\b|Unable to reserve memory/,
    check: "memory-short",
    also: ["address-space", "hugepages-short", "mappings-too-many"],
    cause: "the kernel has no memory, or no room for one more mapping, for the tree (ENOMEM)",
    remedy: "free -m; sysctl vm.overcommit_memory vm.max_map_count; memory.max of the cgroup",
    issues: ["#1784"],
    example: "Can't restore 7f0000000000 mapping with fffffffffffffff4",
    from: "staged",
  },
  {
    pattern: /mapping with (?:0x)?f{16}\b/,
    check: "mmap-min-addr",
    remedy: "sysctl -w vm.mmap_min_addr=0, or CAP_SYS_RAWIO",
    example: "Can't restore 1000 mapping with ffffffffffffffff",
    from: "staged",
  },
  {
    pattern: /Can't create memfd:(?<name>.*)/,
    check: "memfd-executable",
    remedy: "sysctl -w vm.memfd_noexec=1",
    example: "Can't create memfd:a: Permission denied",
    from: "source",
  },
];

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

export const kernel: readonly Entry[] = [
  {
    pattern: /Core march mismatch (?<type>\d+)/,
    check: "arch-mismatch",
    remedy: "restore on a machine of the architecture of the dump",
    issues: ["#453"],
    example: "Core march mismatch 3",
    from: "staged",
  },
  {
    pattern: /CPU .*(?:mismatch|do not match|unsupported bits)|FPU xsave area present/,
    check: "cpu-features",
    remedy: "restore on a processor with the same features; --cpu-cap=none at the risk of SIGILL",
    issues: ["#2835", "#1042", "OpenLiberty/open-liberty#20092"],
    example: "cpu: CPU instruction capabilities do not match run time",
    from: "staged",
  },
  {
    pattern: /vDSO isn't provided by kernel/,
    check: "vdso-missing",
    remedy: "boot without vdso=0",
    example: "vDSO isn't provided by kernel, but exists in images",
    from: "source",
  },
  {
    pattern: /vdso: Unexpected rt vDSO area bounds/,
    check: "criu-too-old",
    cause: "this CRIU is too old for this kernel (6.13 or later) and cannot start at all",
    remedy: "CRIU 4.1 or later",
    since: "4.1",
    example: "vdso: Unexpected rt vDSO area bounds",
    from: "staged",
  },
  {
    pattern: /rseq: can't restore as kernel doesn't support it|failed sys_rseq/,
    check: "rseq-missing",
    remedy: "a kernel with CONFIG_RSEQ",
    since: "3.17",
    example: "rseq: can't restore as kernel doesn't support it",
    from: "source",
  },
  {
    pattern: /kernel don't give them consequently|Unexpected timer id/,
    check: "timer-id",
    remedy: "CRIU 4.2 on Linux 6.15 or later",
    since: "4.2",
    example: "Can't create timers, kernel don't give them consequently",
    from: "source",
  },
  {
    pattern: /MADV_GUARD_INSTALL/,
    check: "guard-pages",
    remedy: "Linux 6.13 or later",
    example: "madvise(7f00, 4096, MADV_GUARD_INSTALL) failed with -22",
    from: "source",
  },
];

export const criu: readonly Entry[] = [
  {
    pattern: /(?:pidfile: |^)Can't open (?<path>\/\S+): File exists/,
    check: "pidfile-exists",
    cause: "$<path> exists already; CRIU finds out after the whole restore and kills the tree",
    remedy: "rm $<path> if its process is gone",
    example: "pidfile: Can't open /run/a.pid: File exists",
    from: "staged",
  },
  {
    pattern: /execvp\("(?<script>(?!ip)[^"]+)", \.\.\.\) failed/,
    check: "script-not-executable",
    remedy: "chmod +x $<script>, and look at its first line",
    example: 'execvp("/usr/local/bin/hook", ...) failed: Permission denied',
    from: "staged",
  },
  {
    pattern: /Aborting restore due to (?<point>\S+) script ret code (?<code>-?\d+)/,
    check: "",
    cause: "an action script refused the restore at $<point>",
    remedy:
      "look at what the script said before; CRTOOLS_SCRIPT_ACTION=$<point> SCRIPT runs it by hand",
    example: "Aborting restore due to post-restore script ret code -1",
    from: "source",
  },
  {
    pattern:
      /Can't change directory to (?<dir>\S+)|Can't create log file|Can't make temp cgyard dir|Unable to open stats-restore/,
    check: "work-dir-unwritable",
    remedy: "--work-dir DIRECTORY that can be written to",
    example: "cg: Can't make temp cgyard dir: Read-only file system",
    from: "staged",
  },
  {
    pattern: /Unable to create a temporary directory/,
    check: "tmp-missing",
    remedy: "mkdir -m 1777 /tmp",
    example: "mnt: Unable to create a temporary directory: No such file or directory",
    from: "staged",
  },
  {
    pattern: /Dumped with --allow-uprobes/,
    check: "allow-uprobes-needed",
    remedy: "--allow-uprobes",
    since: "4.2",
    example: "Dumped with --allow-uprobes. Need to set it on restore as well.",
    from: "source",
  },
  {
    pattern: /excessive parameters? for command/,
    check: "",
    cause:
      "a word stands where CRIU wants none; an option with an optional value takes it only after `=`",
    remedy: "--manage-cgroups=ignore, not --manage-cgroups ignore",
    issues: ["#688"],
    example: "excessive parameter for command restore",
    from: "issue",
  },
  {
    pattern: /Can't open dir (?<dir>\S+)/,
    check: "",
    cause: "there is no images directory $<dir>",
    remedy: "--images-dir DIR",
    example: "Can't open dir /nowhere: No such file or directory",
    from: "source",
  },
];
