/** The processor and what the kernel gives each task with it (arch/x86/cpu.c, cr-restore.c). */
import { knows } from "../criu/index.ts";
import { cpuinfo_entry } from "../image/tables/cpuinfo.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { sh } from "../sys/shell.ts";

/** core_entry.mtype by Node's name of the architecture, with the name that people use. */
const machines: Readonly<Record<number, readonly [node: string, name: string]>> = {
  1: ["x64", "x86_64"],
  2: ["arm", "arm"],
  3: ["arm64", "aarch64"],
  4: ["ppc64", "ppc64"],
  5: ["s390x", "s390"],
  6: ["mips64el", "mips"],
  7: ["loong64", "loongarch64"],
  8: ["riscv64", "riscv64"],
};

export const archMismatch: Check = {
  id: "arch-mismatch",
  title: "The checkpoint is of another kind of machine",
  reads: "mtype in core-*.img; this machine's architecture",
  why: "Memory and registers of a process mean something on its own architecture only.",
  proof: "criu",
  run({ checkpoint, host }) {
    const strange = livingTasks(checkpoint).find(({ core }) => {
      const machine = machines[core?.mtype ?? 0];
      return machine !== undefined && machine[0] !== host.architecture;
    });
    if (strange === undefined) return [];
    const type = strange.core!.mtype;
    return [
      {
        id: "arch-mismatch",
        severity: "blocker",
        task: strange.pid,
        image: `core-${strange.pid}.img`,
        subject: machines[type]![1],
        message: `the tree ran on ${machines[type]![1]}, and this machine is ${host.architecture}`,
        criu_message: `Core march mismatch ${type}`,
        remedy: {
          kind: "human",
          text: `restore it on a machine with ${machines[type]![1]}`,
          command: null,
        },
      },
    ];
  },
};

/**
 * Instruction sets by word and bit of cpuinfo_x86_entry.capability, as /proc/cpuinfo names them. Not rdseed: since Linux 6.18
 * the kernel hides it on processors of AMD that have it, as theirs is faulty; adx came with it.
 */
const instructions: readonly (readonly [word: number, bits: string])[] = [
  [
    4,
    "0:pni 1:pclmulqdq 9:ssse3 12:fma 19:sse4_1 20:sse4_2 22:movbe 23:popcnt 25:aes 28:avx 29:f16c 30:rdrand",
  ],
  [6, "5:abm 6:sse4a 11:xop 16:fma4 21:tbm"],
  [
    9,
    "0:fsgsbase 3:bmi1 4:hle 5:avx2 8:bmi2 9:erms 11:rtm 16:avx512f 17:avx512dq 19:adx 21:avx512ifma " +
      "23:clflushopt 24:clwb 28:avx512cd 29:sha_ni 30:avx512bw 31:avx512vl",
  ],
  [11, "1:avx512vbmi 8:gfni 9:vaes 10:vpclmulqdq 11:avx512_vnni"],
];

export const cpuFeatures: Check = {
  id: "cpu-features",
  title: "The processor of the dump could do what this one cannot",
  reads: "cpuinfo.img; /proc/cpuinfo, criu cpuinfo check, --cpu-cap",
  why:
    "A program asks once what the processor can do. Restored on one that can do less, it ends with SIGILL some time later. CRIU saves the " +
    "processor only in a dump with --cpu-cap, and compares it only in a restore with --cpu-cap, which needs the saved one. A kernel may " +
    "hide what its processor can do: what /proc/cpuinfo lacks CRIU is asked for, which asks the processor itself.",
  proof: "criu",
  run({ checkpoint, host, request, criu }) {
    const asked = request.cpuCap !== undefined;
    const shared = { id: "cpu-features", task: null, image: "cpuinfo.img" } as const;
    if (asked && !checkpoint.files.has("cpuinfo.img"))
      return [
        {
          ...shared,
          severity: "blocker",
          subject: "--cpu-cap",
          message:
            "--cpu-cap compares the processor with the one of the dump, which the images do not have",
          criu_message: "Unexpected EOF on (empty-image)",
          remedy: {
            kind: "option",
            text: "restore without the comparison",
            command: null,
            option: "--cpu-cap=none",
            automatic: false,
          },
        },
      ];
    const capability = checkpoint.values("cpuinfo.img", cpuinfo_entry)[0]?.x86_entry[0]?.capability;
    const row = /^flags\s*:(.*)$/m.exec(host.read("/proc/cpuinfo") ?? "");
    if (capability === undefined || row === null) return [];
    const here = new Set(row[1]!.trim().split(" "));
    const lacking = instructions.flatMap(([word, bits]) =>
      bits
        .split(" ")
        .map((entry) => entry.split(":") as [bit: string, name: string])
        .filter(([bit, name]) => ((capability[word] ?? 0) >>> Number(bit)) & 1 && !here.has(name))
        .map(([, name]) => name),
    );
    // Where CRIU finds all of it, the kernel only hides it.
    if (lacking.length === 0 || (criu && criu.cpuRefusal(checkpoint.dir) === undefined)) return [];
    const compared = asked && request.cpuCap.some((cap) => cap !== "fpu");
    return [
      {
        ...shared,
        severity: "warning",
        subject: lacking.join(" "),
        message: `the processor of the dump had ${lacking.join(", ")}, this one does not show it`,
        criu_message: compared ? "CPU instruction capabilities do not match run time" : null,
        remedy: {
          kind: "human",
          text: "restore on a machine whose processor has them, or start the programs anew",
          command: sh`grep -m1 ^flags /proc/cpuinfo`,
        },
      },
    ];
  },
};

/** VMA_AREA_VDSO and VMA_AREA_GUARD: vma_entry.status (image.h). */
const VMA_VDSO = 1 << 3;
const VMA_GUARD = 1 << 16;

export const vdsoMissing: Check = {
  id: "vdso-missing",
  title: "This kernel gives programs no vDSO",
  reads: "mappings in mm-*.img; /proc/self/maps",
  why:
    "The kernel maps a little library into each program, through which it tells the time. CRIU leads the old one's calls into the new " +
    "one; a kernel without one (vdso=0) leaves nothing to lead to.",
  proof: "images",
  run({ checkpoint, host }) {
    const task = livingTasks(checkpoint).find(({ mm }) =>
      mm?.vmas.some(({ status }) => status & VMA_VDSO),
    );
    const maps = task === undefined ? undefined : host.read("/proc/self/maps");
    if (task === undefined || maps === undefined || maps.includes("[vdso]")) return [];
    return [
      {
        id: "vdso-missing",
        severity: "blocker",
        task: task.pid,
        image: `mm-${task.pid}.img`,
        subject: "[vdso]",
        message: `task ${task.pid} has a vDSO, and this kernel gives none`,
        criu_message: "vDSO isn't provided by kernel, but exists in images",
        remedy: {
          kind: "human",
          text: "start the kernel without vdso=0",
          command: sh`cat /proc/cmdline`,
        },
      },
    ];
  },
};

/** Whether the kernel's release is older than this one. */
function older({ host }: Context, major: number, minor: number): boolean {
  const [a = 0, b = 0] = host.kernel.split(".").map((part) => Number.parseInt(part, 10));
  return a > 0 && (a < major || (a === major && b < minor));
}

export const rseqMissing: Check = {
  id: "rseq-missing",
  title: "This kernel has no restartable sequences, and the tree uses them",
  reads: "rseq_entry in core-*.img; the kernel's release",
  why: "glibc 2.35 and later register each thread with rseq(2), which Linux has from 4.18 on. CRIU refuses to forget the registration.",
  proof: "images",
  run(context) {
    if (!older(context, 4, 18)) return [];
    for (const task of livingTasks(context.checkpoint))
      for (const { tid, core } of task.threads)
        if (core?.thread_core?.rseq_entry?.rseq_abi_pointer)
          return [
            {
              id: "rseq-missing",
              severity: "blocker",
              task: task.pid,
              image: `core-${tid}.img`,
              subject: `thread ${tid}`,
              message: `thread ${tid} is registered for restartable sequences, and Linux ${context.host.kernel} has none`,
              criu_message: "rseq: can't restore as kernel doesn't support it",
              remedy: { kind: "human", text: "restore on Linux 4.18 or later", command: null },
            },
          ];
    return [];
  },
};

export const guardPages: Check = {
  id: "guard-pages",
  title: "This kernel has no guard pages, and the tree has some",
  reads: "mappings in mm-*.img; the kernel's release",
  why: "glibc guards stacks with madvise(MADV_GUARD_INSTALL), which Linux has from 6.13 on. CRIU 4.2 puts those guards back and fails where it cannot.",
  proof: "images",
  run(context) {
    // An older CRIU forgets them without a word.
    if (!knows(context.criu?.version, "guardRegions", false)) return [];
    if (!older(context, 6, 13)) return [];
    return livingTasks(context.checkpoint).flatMap((task): Finding[] =>
      task.mm?.vmas.some(({ status }) => status & VMA_GUARD)
        ? [
            {
              id: "guard-pages",
              severity: "blocker",
              task: task.pid,
              image: `mm-${task.pid}.img`,
              subject: `task ${task.pid}`,
              message: `task ${task.pid} has guard pages, which Linux ${context.host.kernel} does not know`,
              criu_message: "MADV_GUARD_INSTALL",
              remedy: { kind: "human", text: "restore on Linux 6.13 or later", command: null },
            },
          ]
        : [],
    );
  },
};
