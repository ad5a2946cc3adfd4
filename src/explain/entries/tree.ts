/** Numbers, sessions, terminals, namespaces of processes. */
import type { Entry } from "../entry.ts";

export const tree: readonly Entry[] = [
  {
    pattern: /Can't restore pgid/,
    check: "group-leader-lost",
    remedy: "dump again with the leader back in its process group, or nobody in it",
    example: "Can't restore pgid (136/123->133): Operation not permitted",
    from: "staged",
  },
  {
    pattern: /Can't fork for (?<pid>\d+): File exists|Pid (?<other>\d+) do not match expected/,
    check: "pid-in-use",
    cause:
      "the number $<pid>$<other> is in use: by a process, a thread, a zombie, or as somebody's process group or session",
    remedy:
      "ps -e -L -o pid,tid,pgid,sid,stat,comm shows its holder. It may be this very tree: recriu preflight tells. Else end it; or restore in a pid namespace of its own, and without -d (--restore-detached): unshare --fork --pid --mount-proc ends all in it when its first process ends",
    issues: ["#2692", "#2779", "#2190", "#483", "#1470"],
    example: "Can't fork for 4711: File exists",
    from: "staged",
  },
  {
    pattern: /Unable to create a thread: -17|Thread pid mismatch/,
    check: "pid-in-use",
    cause: "the number of a thread is in use",
    remedy:
      "ps -e -L -o pid,tid,comm shows its holder; kernels from 5.5 on give numbers without a race",
    issues: ["#1978", "#1431", "#483"],
    example: "Unable to create a thread: -17",
    from: "staged",
  },
  {
    pattern:
      /Can't fork for \d+: Invalid argument|Unable to create a thread: -22|Can't set kernel pid_max=/,
    check: "pid-max",
    remedy: "sysctl -w kernel.pid_max=4194304",
    example: "Can't fork for 4194303: Invalid argument",
    from: "staged",
  },
  {
    pattern: /Can't fork for \d+: Resource temporarily unavailable/,
    check: "",
    cause: "no more tasks may be made: pids.max of a cgroup, RLIMIT_NPROC, or kernel.threads-max",
    remedy: "cat /sys/fs/cgroup/*/pids.max; ulimit -u; sysctl kernel.threads-max",
    issues: ["#2213"],
    example: "Can't fork for 812: Resource temporarily unavailable",
    from: "source",
  },
  {
    pattern: /Can't fork for \d+: Operation not permitted/,
    check: "privilege",
    cause: "CRIU may not choose numbers of processes here",
    remedy:
      "run it as root with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN in the pid namespace's owner",
    example: "Can't fork for 812: Operation not permitted",
    from: "source",
  },
  {
    pattern:
      /This process tree can only be restored in a new pid namespace|Can't restore pid namespace without the process init/,
    check: "pid-namespace-init",
    remedy:
      "restore into the kind of pid namespace that was dumped: unshare --fork --pid, or without",
    example: "This process tree can only be restored in a new pid namespace.",
    from: "staged",
  },
  {
    pattern:
      /Unable to find an external pidns: (?<key>\S+)|Unable to restore into an empty PID namespace/,
    check: "pid-namespace-external",
    remedy: "--inherit-fd fd[N]:$<key> with the namespace open as descriptor N",
    example: "Unable to find an external pidns: extRootPidNS",
    from: "staged",
  },
  {
    pattern: /Can't restore sub-task in NS \(cflags (?<flags>\w+)\)/,
    check: "nested-namespace",
    remedy: "nothing: CRIU restores nested mount namespaces only; dump the inner tree by itself",
    example: "Can't restore sub-task in NS (cflags 20000000)",
    from: "staged",
  },
  {
    pattern: /Current (?<what>sid|gid) (?<id>\d+) intersects with/,
    check: "session-intersects",
    cause: "CRIU's own session or group, $<id>, has a number of the images",
    remedy: "setsid --wait criu restore …",
    issues: ["#1716", "#1332"],
    example: "Current sid 4711 intersects with pid (4711) in images",
    from: "staged",
  },
  {
    pattern: /Requested sid (?<sid>\d+) doesn't match inherited (?<own>\d+)/,
    check: "shell-job-session",
    cause: "the tree belongs to session $<sid>, whose leader was not saved",
    remedy: "--shell-job",
    issues: ["#1160"],
    example: "Requested sid 4711 doesn't match inherited 815",
    from: "staged",
  },
  {
    pattern: /Can't find a session leader for (?<sid>\d+)|Can't figure out which sid/,
    check: "session-leader-missing",
    remedy: "dump the tree from its session's leader on",
    example: "Can't find a session leader for 4711",
    from: "staged",
  },
  {
    pattern:
      /Can't find a parent for (?<pid>\d+)|Unexpected task \d+ in a tree|Parent missed on non-root task/,
    check: "tree-corrupt",
    remedy: "copy the checkpoint again, whole",
    example: "Can't find a parent for 4711",
    from: "staged",
  },
  {
    pattern:
      /Found slave peer index (?<index>\d+) without correspond master peer|Only one slave external peer is allowed/,
    check: "tty-shell-job",
    remedy: "--shell-job, run from a terminal",
    issues: ["#1655", "#2788"],
    example: "tty: Found slave peer index 3 without correspond master peer",
    from: "staged",
  },
  {
    pattern:
      /tty: Don't have tty to inherit session from|tty: Standard stream is not a terminal|Can't get self_stdin_fdid|Can't send fd 0 into store/,
    check: "tty-stdin",
    remedy: "run it from a terminal: script -qec 'criu restore -j …' /dev/null",
    issues: ["#150", "#460", "#2788"],
    example: "tty: Don't have tty to inherit session from, aborting",
    from: "staged",
  },
  {
    pattern: /No task found with sid (?<sid>\d+)/,
    check: "tty-no-task",
    cause: "a terminal controls session $<sid>, whose leader was not saved",
    remedy: "--shell-job, run from a terminal",
    issues: ["#2144", "#1160"],
    example: "tty: No task found with sid 22997",
    from: "staged",
  },
  {
    pattern: /tty: Unable to open \S+ with specified index (?<index>\d+)/,
    check: "tty-index-busy",
    cause: "the pseudoterminal /dev/pts/$<index> belongs to somebody",
    remedy: "fuser -v /dev/pts/$<index>: close it, or restore with a mount namespace of its own",
    issues: ["#68"],
    example: "tty: Unable to open pts with specified index 3",
    from: "staged",
  },
  {
    pattern:
      /Can't open tty ctty 0x|Can't open file dev\/tty(?: on restore)?: No such device or address/,
    check: "tty-controlling",
    remedy:
      "--inherit-fd 'fd[0]:tty[RDEV:DEV]' on the terminal that it shall have; recriu preflight names the numbers",
    issues: ["#264"],
    example: "Can't open file dev/tty on restore: No such device or address",
    from: "staged",
  },
  {
    pattern: /Can't open tty (?<kind>\S+) 0x/,
    check: "tty-device-missing",
    remedy: "ls -l /dev/$<kind>*: connect the device that the tree used",
    example: "tty: Can't open tty serial 0x4",
    from: "staged",
  },
  {
    pattern:
      /Inconsistent sched params received \((?<policy>\d+)\.(?<nice>-?\d+)\.(?<priority>\d+)\)/,
    check: "sched-inconsistent",
    cause:
      "scheduling policy $<policy> with priority $<priority> is refused: SCHED_RESET_ON_FORK (0x40000000) before CRIU 4.0, or a priority that was not saved",
    remedy: "recriu restore -D DIR edits it in a shadow of the images; or CRIU 4.0 and a new dump",
    since: "4.0",
    issues: ["#2359", "PR #2360"],
    example: "Inconsistent sched params received (1073741825.0.0)",
    from: "staged",
  },
  {
    pattern: /Unable to open the proc file system: Operation not permitted/,
    check: "userns-alone",
    remedy: "dump a tree that has a mount and a pid namespace with its user namespace",
    example: "Unable to open the proc file system: Operation not permitted",
    from: "staged",
  },
  {
    pattern: /Invalid join_ns pid|Can't access join-ns file (?<file>\D\S*): /,
    check: "join-ns-missing",
    remedy: "--join-ns NS:PID or NS:FILE of one that is there",
    example: "Can't access join-ns file /run/netns/a: No such file or directory",
    from: "staged",
  },
  {
    pattern:
      /timens: Unable to (?:create a new time namespace|set a \w+ clock offset)|Unable to set a (?:monotonic|boottime) clock offset/,
    check: "time-namespace",
    also: ["privilege"],
    remedy:
      "CAP_SYS_TIME, and a kernel with CONFIG_TIME_NS; with CAP_CHECKPOINT_RESTORE alone: --unprivileged",
    example: "timens: Unable to create a new time namespace: Operation not permitted",
    from: "source",
  },
  {
    pattern: /Unable to write into (?<map>\S*[ug]id_map)/,
    check: "userns-map",
    remedy:
      "restore as root of the user namespace that owns this one; cat /proc/sys/user/max_user_namespaces",
    example: "Unable to write into 4711/uid_map: Operation not permitted",
    from: "source",
  },
  {
    pattern: /Can't find suitable NS ID for/,
    check: "namespace-file",
    remedy: "leave the descriptor of that namespace out of the dump, or dump its tasks too",
    example: "Can't find suitable NS ID for 0x11",
    from: "staged",
  },
  {
    pattern: /Can't attach to (?<pid>\d+): Operation not permitted|Can't catch all tasks/,
    check: "",
    cause:
      "CRIU may not trace the tasks that it made: another tracer, Yama, SELinux or seccomp forbids it",
    remedy:
      "sysctl kernel.yama.ptrace_scope (0 or 1); ausearch -m avc -ts recent; do not run CRIU under strace",
    issues: ["#2724"],
    example: "Can't attach to 507010: Operation not permitted",
    from: "issue",
  },
];
