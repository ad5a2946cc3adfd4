/** What CRIU's error lines mean. Data: pattern, cause, remedy, the upstream issues where users met it. */

export interface Entry {
  /** Matched against the message of an error line: without time, pid, source file. Groups are named for `cause` and `remedy`. */
  pattern: RegExp;
  cause: string;
  remedy: string;
  /** Issues of checkpoint-restore/criu. */
  issues: readonly string[];
  /** A line that it must match. */
  example: string;
}

export const entries: readonly Entry[] = [
  {
    pattern:
      /unix: (?:ghost: )?Can't bind id \S+ ino \d+ addr (?<path>\/\S+): No such file or directory/,
    cause: "the directory of the socket $<path> does not exist",
    remedy: "make the directory (recriu does), or mkdir -m 1777 for /tmp/.X11-unix and its like",
    issues: ["#2359", "#2478"],
    example:
      "unix: Can't bind id 0x4d ino 1935298 addr /tmp/.X11-unix/X7: No such file or directory",
  },
  {
    pattern: /unix: (?:ghost: )?Can't bind id \S+ ino \d+ addr (?<path>.*): Address already in use/,
    cause: "the socket name is taken by a live process, or what stands at the path is no socket",
    remedy: "stop the process that has it (ss -xlp), or move the file away",
    issues: [],
    example: "unix: Can't bind id 0x4 ino 1188 addr : Address already in use",
  },
  {
    pattern:
      /Inconsistent sched params received \((?<policy>\d+)\.(?<nice>-?\d+)\.(?<priority>\d+)\)/,
    cause:
      "scheduling policy $<policy> with priority $<priority> is refused: SCHED_RESET_ON_FORK (0x40000000) before CRIU 4.0, or a priority that was not saved",
    remedy: "restore with CRIU 4.0 or later; when the priority is missing, dump again with it",
    issues: ["#2359", "PR #2360"],
    example: "Inconsistent sched params received (1073741825.0.0)",
  },
  {
    pattern:
      /(?:cg: )?(?:Can't move .* into|Can't mount controller dir|Can't make cgroup dir|Cgroup dir .* doesn't exist)/,
    cause: "the cgroups of the dump cannot be had on this machine",
    remedy:
      "--manage-cgroups=ignore leaves the tree in the cgroup that the restore is run from (CRIU 3.17 or later)",
    issues: ["#1793", "PR #1800", "#1524"],
    example: "cg: Can't move into unified//demo/cgroup.procs (-1/-1): Operation not supported",
  },
  {
    pattern: /(?:Can't fork for|Pid \d+ do not match expected) (?<pid>\d+)/,
    cause:
      "the number $<pid> is in use: by a process, a thread, a zombie, or as somebody's process group or session",
    remedy: "end its holder, or restore in a pid namespace of its own",
    issues: ["#2692", "#2779", "#2190", "#483"],
    example: "Can't fork for 4711: File exists",
  },
  {
    pattern: /Thread pid mismatch|Unable to create a thread/,
    cause: "the number of a thread is in use",
    remedy: "end its holder; kernels from 5.5 on give numbers without a race",
    issues: ["#1978", "#1431"],
    example: "Unable to create a thread: -17",
  },
  {
    pattern: /File (?<path>.+) has bad size (?<size>\d+) \(expect (?<expected>\d+)\)/,
    cause: "$<path> has $<size> bytes now and had $<expected> at the dump",
    remedy:
      "put the file of the dump back; a log that only grew can be cut: truncate -s $<expected>",
    issues: ["#1258", "#68"],
    example: "File tmp/a.log has bad size 12 (expect 7)",
  },
  {
    pattern: /File (?<path>.+) has bad mode (?<mode>0\d+) \(expect (?<expected>0\d+)\)/,
    cause: "$<path> has mode $<mode> now and had $<expected> at the dump",
    remedy: "chmod it back, or --skip-file-rwx-check (CRIU 3.18 or later)",
    issues: ["#650"],
    example: "File tmp has bad mode 040755 (expect 041777)",
  },
  {
    pattern: /File (?<path>.+) has bad build-ID/,
    cause: "$<path> is another build than at the dump",
    remedy: "install the same version of its package",
    issues: ["#1756"],
    example: "File usr/lib/libfoo.so has bad build-ID",
  },
  {
    pattern: /Can't open file (?<path>.+) on restore: (?<errno>.+)/,
    cause: "$<path>, which a task had open, mapped or as its directory: $<errno>",
    remedy: "put it back as it was at the dump",
    issues: ["#1553", "#462"],
    example: "Can't open file tmp/work on restore: No such file or directory",
  },
  {
    pattern: /Connected TCP socket in image|Need to set the --tcp-close/,
    cause: "the tree had TCP connections",
    remedy: "--tcp-established to continue them, --tcp-close to let the programs find them closed",
    issues: ["#286", "PR #1212"],
    example: "inet: Connected TCP socket in image",
  },
  {
    pattern: /tty: Don't have tty to inherit session from|No task found with sid/,
    cause: "the tree was started from a terminal and shares it with processes that were not saved",
    remedy: "--shell-job, run from a terminal",
    issues: ["#1160", "#1655", "#2788"],
    example: "tty: Don't have tty to inherit session from, aborting",
  },
  {
    pattern: /External socket found in image/,
    cause: "the tree is connected to a Unix socket of a process outside it",
    remedy: "--ext-unix-sk (not --external)",
    issues: ["#2085", "#2425"],
    example:
      "unix: External socket found in image. Consider using the --ext-unix-sk option to restore it.",
  },
  {
    pattern: /pidfile: Can't open (?<path>.*): File exists/,
    cause: "the pid file exists already; CRIU finds out after the whole restore and kills the tree",
    remedy: "remove the stale pid file",
    issues: [],
    example: "pidfile: Can't open /run/a.pid: File exists",
  },
  {
    pattern: /The --root option is required to restore a mount namespace/,
    cause: "the tree had a mount namespace of its own",
    remedy: "--root DIR, a mount point that holds its root file system",
    issues: ["#462"],
    example: "mnt: The --root option is required to restore a mount namespace",
  },
  {
    pattern: /No mapping for (?<mount>\d+:\S+) mountpoint/,
    cause: "the external mount $<mount> has no source on this machine",
    remedy: "--external mnt[KEY]:PATH",
    issues: ["#462", "#1754"],
    example: "mnt: No mapping for 640:/data mountpoint",
  },
  {
    pattern: /Unexpected EOF on \(empty-image\)|Can't open core data for|No IDS for root task/,
    cause: "an image that the restore needs is not in the directory",
    remedy: "copy the checkpoint again, whole",
    issues: [],
    example: "Unexpected EOF on (empty-image)",
  },
  {
    pattern: /Magic doesn't match for|Read \d+ bytes while \d+ expected|Failed unpacking object/,
    cause: "an image is damaged or cut short",
    remedy: "copy the checkpoint again, whole",
    issues: [],
    example: "Read 3 bytes while 12 expected on/from core-12.img",
  },
  {
    pattern: /vdso: Unexpected rt vDSO area bounds/,
    cause: "this CRIU is too old for this kernel (6.13 or later) and cannot start at all",
    remedy: "CRIU 4.1 or later",
    issues: [],
    example: "vdso: Unexpected rt vDSO area bounds",
  },
  {
    pattern: /Missing required plugin: (?<plugin>\S+)/,
    cause: "the tree was dumped with the plugin $<plugin>",
    remedy: "install it, or name its directory by --libdir",
    issues: ["PR #2489", "#2521"],
    example: "Missing required plugin: cuda_plugin",
  },
];
