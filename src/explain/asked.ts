/**
 * Questions without a line of CRIU's: two or three words that name a case which CRIU is known not to take, in somebody's own
 * sentences or commands. Told only where no line says more.
 */
import type { Explanation } from "./index.ts";

interface Question {
  /** Each is in some line. */
  readonly words: readonly RegExp[];
  /** Asked only where nothing but a check that did not fail is shown: a log of CRIU's says more. */
  readonly isBesideCheck?: boolean;
  readonly cause: string;
  readonly remedy: string;
  readonly issues: readonly string[];
}

/** A line of the kernel's is told where another speaks of a dump or restore; a database has checkpoints in its log, too. */
const aboutIt =
  /^(?!.{0,200}\bLOG: ).{0,1000}\b(?:criu|checkpoint(?:ed|ing)?|c\/r|crac|podman\b.{0,80}\brestore)\b/i;

// One reading of a line each, and every repetition has an end.
const known: readonly Question[] = [
  {
    words: [
      /\bio_uring\b.{0,200}\b(?:criu|dump(?:ing|ed)?|checkpoint(?:ing|ed)?\W{1,3}restor)|\b(?:criu|dump(?:ing|ed)?|checkpoint(?:ing|ed)?)\b.{0,60}\bprocess(?:es)?\b.{0,60}\bio_uring\b|\bcriu\b.{0,200}\bio_uring\b/i,
    ],
    cause:
      "CRIU does not save an io_uring: a dump of a process that has one fails, and no option or build changes that",
    remedy:
      "switch it off in the program before the dump (UV_USE_IO_URING=0 for Node.js; io_method=worker for PostgreSQL 18; innodb_use_native_aio=0 for MariaDB), or for all by sysctl kernel.io_uring_disabled=2 (Linux 6.6 or later) before it starts; ls -l /proc/PID/fd shows which process has one",
    issues: ["#3070", "#2131"],
  },
  {
    words: [
      /\brestor/i,
      /\bhook\b.{0,60}\bfail.{0,200}\/proc\/driver\/nvidia\b|\/proc\/driver\/nvidia\b.{0,120}\bhook\b/i,
    ],
    cause:
      "NVIDIA's prestart hook needs the container's /proc, and runc runs such hooks at a restore when the namespaces are made, before CRIU has made the container's mounts: what it looks for in its root is not there yet",
    remedy:
      'a container without that hook, checkpointed anew: its GPU by CDI (nvidia-ctk cdi generate; nvidia-container-runtime.mode = "cdi" in /etc/nvidia-container-runtime/config.toml), by which devices and mounts stand in config.json; or the hook out of the config.json of the bundle that is restored, where the program can do without what it makes',
    issues: ["opencontainers/runc#5296"],
  },
  {
    words: [
      /\bcriu\b/i,
      /\b(?:unable|not able|cannot|can't|can not|fail\w{0,3}|impossible|how)\b.{0,40}\b(?:dump|checkpoint|restore)\w{0,4}\b.{0,60}\b(?:as|by|for|from) (?:an? )?(?:unprivileged|non-?root|normal|regular|ordinary) user\b/i,
    ],
    cause:
      "criu check looks at the kernel, and most of it as root: that it looks good says nothing of what an ordinary user may. CRIU needs root for a dump or restore, or rights of its own: /proc/PID/map_files, as one, is closed to those who have neither CAP_SYS_ADMIN nor CAP_CHECKPOINT_RESTORE",
    remedy:
      "sudo criu dump …, sudo criu restore …; or, with CRIU 3.18 and Linux 5.9 or later, an ordinary user's own processes: setcap cap_checkpoint_restore+eip on the criu file, and criu --unprivileged for check, dump and restore, which then leaves out what needs more; without any rights nothing of it works",
    issues: ["#533"],
  },
  {
    isBesideCheck: true,
    words: [
      /\bcriu\b.{0,40}\bdump(?:ing)?\b.{0,40}\b(?:(?:gets?|got|is|was) stuck|hangs?|hung|never (?:ends|returns|finishes)|freezes)\b|\bdump(?:ing)?\b.{0,20}\b(?:stuck|hangs)\b.{0,60}\b[\w-]{1,40}\.c\b/i,
    ],
    cause:
      "a dump that stands still waits for something that is not in these lines: for a task that does not stop (in the kernel, D state), for an answer of CRIU's own code in a task, which has crashed or never ran there, or for a file system that hangs. A warning of criu check, as of dirty tracking, does not make it wait",
    remedy:
      "while it stands: cat /proc/PID/stack and /proc/PID/wchan of criu itself and of the task of the last line, ps -eLo pid,tid,stat,wchan:30,comm; the end of dump.log with -v4: recriu explain it; dmesg | tail for a crash; a newer CRIU and kernel; on ARM of 32 bits with an old CRIU a kernel without CONFIG_VDSO has helped",
    issues: ["#206", "#446"],
  },
  {
    words: [/\bpre-?dump\b.{0,120}\bcuda\b|\bcuda\b.{0,120}\bpre-?dump\b/i],
    cause:
      "CRIU's cuda plugin takes a GPU's memory at the dump alone: CRIU 4.0 runs it at a pre-dump, too, where it fails; from 4.1 on it is left out there",
    remedy:
      "dump at once, without pre-dump; CRIU 4.1 or later, whose pre-dump takes the memory outside of the GPU only; the log's first Error says whether it is that: recriu explain LOG",
    issues: ["#2654"],
  },
  {
    words: [
      /\b(?:docker|podman|nerdctl) (?:container )?pause\b|\bfreezer\.state\b.{0,40}\bFROZEN\b|\brunc pause\b/,
      /\bcheckpoint/,
      /\b(?:stall|hang|hung|stuck|blocks?\b|wait(?:s|ing)? for ?ever|never (?:ends|returns|finish))/i,
    ],
    cause:
      "the container is paused: its tasks are frozen by their cgroup, and a CRIU that freezes or stops them itself waits for what cannot run",
    remedy:
      "docker unpause NAME (podman, nerdctl alike) before the checkpoint: CRIU stops the tasks for it by itself; if it hangs without a pause, too, the last line of dump.log says where",
    issues: ["#20", "#2572"],
  },
  {
    words: [
      /\bcriu restore\b(?!.{0,300}\s(?:-d|--restore-detached)\b)/,
      /\bno (?:error|information|output)\b.{0,40}(?:output|message|line|log|error|shown|printed)\b|\bwithout (?:any |an )?(?:error|output)\b/i,
      /\bexit(?:s|ed)?\b|\b(?:is|was|are) gone\b|\b(?:not|n't) (?:find|found|running|there)\b/i,
    ],
    cause:
      "criu restore without --restore-detached (-d) stays until what it has restored ends, and says nothing where all went well: that it ended without an error means most likely that the restore succeeded and the restored program ended or crashed then. That is not seen here",
    remedy:
      "criu restore with -d -v4 -o restore.log: recriu explain it, and ps of the restored number; journalctl -k or dmesg for a crash (segfault at); of a program that was changed or built anew since the dump the file of the dump back in its place, or a new dump",
    issues: ["#2375"],
  },
  {
    words: [
      aboutIt,
      /\b(?:oom_kill_process|mem_cgroup_out_of_memory|mem_cgroup_oom)\b|\bout of memory: Kill/i,
      /\b(?:do_coredump|elf_core_dump)\b/,
    ],
    cause:
      "the kernel's own report: a process crashed (do_coredump), and its core file was more than its memory cgroup had room for, which counts where the file is written to tmpfs (shmem in the trace: core_pattern leads to /dev/shm, /tmp or /run): the kernel killed it while it wrote. Behind a restore that ended well it is the restored program that crashed; why is not in these lines",
    remedy:
      "dmesg or journalctl -k for the signal that came first (segfault at, traps:); sysctl kernel.core_pattern, and a path on a disk, or ulimit -c 0 for the program; cat memory.max memory.events of its cgroup, and a larger limit; then the core file: gdb PROGRAM CORE, bt",
    issues: ["#2328"],
  },
  {
    words: [
      aboutIt,
      /\b(?:oom_kill_process|mem_cgroup_out_of_memory)\b|\bMemory cgroup out of memory: Kill|\bout of memory: Kill(?:ed)? process \d|\boom-kill:constraint=/i,
    ],
    cause:
      "the kernel's own report: it had no memory left, of the machine or of a memory cgroup, and killed a process for that, which CRIU sees as killed by signal 9",
    remedy:
      "the report's own lines name the process, and oom_memcg= the cgroup; cat memory.max memory.events of that cgroup, and a larger limit (docker update --memory, resources.limits of a pod); free -m; a restore needs the memory of the whole tree at once",
    issues: [],
  },
  {
    words: [aboutIt, /\btraps: \S{1,40}\[\d{1,10}\] trap invalid opcode\b/],
    cause:
      "the kernel's own report: a process met an instruction that this processor does not have, or that it may not use. Behind a restore on another machine: the program, or its C library, had chosen code by the features of the processor that it was started on",
    remedy:
      "grep -m1 flags /proc/cpuinfo on both machines, criu cpuinfo dump there and criu cpuinfo check here; restore on a processor that has all of its features; or start the program anew with fewer (GLIBC_TUNABLES=glibc.cpu.hwcaps=…), or in a virtual machine with a processor model that all hosts have",
    issues: [],
  },
  {
    words: [
      aboutIt,
      /\b[^\s[]{1,40}\[\d{1,10}\]: segfault at [0-9a-f]|\btraps: \S{1,40}\[\d{1,10}\] general protection\b/,
    ],
    cause:
      "the kernel's own report: a process crashed. The name before its number says whether it was CRIU itself or a program of the tree; behind a restore it may be that a file of it (a library, the program) is not the one of the dump, or that this CRIU is too old for the processor, kernel or C library (rseq, shadow stacks); why is not in this line",
    remedy:
      "of criu a newer CRIU, and coredumpctl or gdb for its bt; of a program the same files as at the dump (--file-validation buildid or filesize at both ends), recriu preflight -D DIR for the processor and the files, and a newer CRIU at both ends; coredumpctl, gdb PROGRAM CORE",
    issues: [],
  },
  {
    words: [aboutIt, /\bINFO: task \S{1,40}:\d{1,10} blocked for more than \d{1,6} seconds/],
    cause:
      "the kernel's own report: a task waits in the kernel (D state) for a disk, a network file system, a device or a lock; what waits so cannot be stopped for a dump, and of criu itself the restore or dump stands",
    remedy:
      "the functions below that line say what it waits for (nfs_, ext4_, fuse_, io_schedule); cat /proc/PID/stack; mend the file system or device first, then the dump, with a larger --timeout",
    issues: [],
  },
  {
    // A whole sentence, with its own way out.
    words: [
      /^(?!.{0,300}\b(?:Error|Warn) {0,2}\()(?=.{0,300}\b(?:criu|checkpoint\w{0,4}|restor\w{0,4})\b).{0,200}\b(?:(?:is|are) (?:un|not )(?:supported|available|allowed|permitted|implemented)|do(?:es)? not support)\b.{0,160}; (?:please )?(?:use|try|set|pass|choose) \S/i,
    ],
    cause:
      "a program that prints this refuses by itself what it was asked for, and names what it takes instead. It says nothing of CRIU's, which was most likely not run: then there is no log of CRIU's to look for",
    remedy:
      "what the line itself names; the documentation and the newest release of that program, for whether it takes this by now",
    issues: [],
  },
];

export function questions(): {
  note(text: string): void;
  /** Undefined where none was asked. `isCheck`: beside a check that did not fail. */
  end(isCheck: boolean): Explanation | undefined;
} {
  const lines = new Map<RegExp, string>();
  return {
    note(text) {
      for (const { words } of known)
        for (const each of words) if (!lines.has(each) && each.test(text)) lines.set(each, text);
    },
    end(isCheck) {
      const asked = known.find(
        ({ words, isBesideCheck = false }) =>
          (isCheck || !isBesideCheck) && words.every((each) => lines.has(each)),
      );
      if (asked === undefined) return undefined;
      const { words, cause, remedy, issues } = asked;
      return {
        line: lines.get(words.at(-1)!)!.trim(),
        like: undefined,
        by: "runtime",
        warning: false,
        quiet: false,
        consequence: false,
        check: "",
        also: [],
        cause,
        because: undefined,
        remedy,
        since: undefined,
        issues,
      };
    },
  };
}
