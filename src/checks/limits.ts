/** Limits of the kernel and of the machine that a saved tree may be beyond: descriptors, mappings, memory. */
import type { Host } from "../host/index.ts";
import { GUARD, UPROBES, VSYSCALL } from "../image/flags.ts";
import type { Task } from "../image/index.ts";
import { CAP_SYS_RESOURCE, has } from "./rights.ts";
import type { Check, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { sh } from "../sys/shell.ts";

const CAP_SYS_RAWIO = 1n << 17n;

export type Vma = NonNullable<Task["mm"]>["vmas"][number];

/** Of forked tasks they are the same objects, which are looked at once. */
const known = new WeakMap<readonly Vma[], Vma[]>();

/** The mappings that CRIU makes again. */
export function made({ mm }: Task): readonly Vma[] {
  if (mm === undefined) return [];
  let vmas = known.get(mm.vmas);
  if (vmas === undefined) {
    vmas = mm.vmas.filter(({ status }) => (status & (VSYSCALL | GUARD | UPROBES)) === 0);
    known.set(mm.vmas, vmas);
  }
  return vmas;
}

export const lengthOf = ({ start, end }: Vma): number => Number(end - start);

export const mib = (bytes: number): string => `${Math.ceil(bytes / (1 << 20))} MiB`;

/** A file of one number; undefined when it is not there. */
export function numberIn(host: Host, path: string): number | undefined {
  const text = host.read(path)?.trim();
  return text === undefined || text === "" ? undefined : Number(text);
}

/** What the restorer says of a mapping that the kernel refuses (criu/pie/restorer.c), with -ENOMEM or -EPERM. */
export const refused = (vma: Vma, errno: "ENOMEM" | "EPERM"): string =>
  `Can't restore 0x${vma.start.toString(16)} mapping with 0xffffffffffffff${errno === "ENOMEM" ? "f4" : "ff"}`;

/** CRIU aligns its own descriptors to this, and keeps 14 of them at least and 16 spare above the task's (servicefd.c). */
const ALIGNMENT = 128;
const OWN_DESCRIPTORS = 30;

export const fdTooBig: Check = {
  id: "fd-too-big",
  title: "A descriptor's number is beyond the limit here",
  reads: "fdinfo-*.img; /proc/sys/fs/nr_open, RLIMIT_NOFILE and CAP_SYS_RESOURCE of the caller",
  why:
    "CRIU raises its limit of open files to fs.nr_open, which takes CAP_SYS_RESOURCE (containers rarely have it); without, the caller's own " +
    "limit counts. Above the largest descriptor of a task CRIU needs room for some thirty of its own.",
  proof: "criu",
  run({ checkpoint, host }) {
    const most = numberIn(host, "/proc/sys/fs/nr_open");
    if (most === undefined) return [];
    const raises = has(host.capabilities, CAP_SYS_RESOURCE);
    const limit = raises ? most : host.descriptorLimit;
    const seen = new Set<number>();
    return checkpoint.tasks.flatMap((task): Finding[] => {
      const files = task.ids?.files_id;
      if (files === undefined || seen.has(files)) return [];
      seen.add(files);
      let fd = -1;
      for (const entry of task.fds) if (entry.fd > fd) fd = entry.fd;
      const needs = fd + OWN_DESCRIPTORS;
      if (fd < most && needs <= Math.floor(limit / ALIGNMENT) * ALIGNMENT) return [];
      const enough = 2 ** Math.ceil(Math.log2(fd + 256));
      const beyond = fd >= most || raises;
      return [
        {
          id: "fd-too-big",
          severity: "blocker",
          task: task.pid,
          image: `fdinfo-${files}.img`,
          subject: String(fd),
          message: beyond
            ? `task ${task.pid} has descriptor ${fd}; fs.nr_open allows ${most} here`
            : `task ${task.pid} has descriptor ${fd}; the limit of open files is ${limit} here, and raising it needs CAP_SYS_RESOURCE`,
          criu_message:
            fd >= most
              ? `Too big FD number to restore ${fd}`
              : `sfd: Can't chose service_fd_base: ${Math.floor(limit / ALIGNMENT) * ALIGNMENT} ${fd + 32}`,
          remedy: {
            kind: "human",
            text: beyond
              ? "raise the kernel's limit; CRIU keeps what it learnt of the kernel in /run/criu.kdat"
              : "raise the limit of open files of the shell or service that restores",
            command: beyond
              ? sh`sysctl -w fs.nr_open=${enough} && rm -f /run/criu.kdat`
              : sh`ulimit -Sn ${enough}`,
          },
        },
      ];
    });
  },
};

export const mmapMinAddr: Check = {
  id: "mmap-min-addr",
  title: "A mapping lies lower than this kernel allows",
  reads: "mm-*.img; /proc/sys/vm/mmap_min_addr; CAP_SYS_RAWIO of the caller, user namespace",
  why: "Emulators (wine, dosemu, qemu-user) map the first pages of memory. Below vm.mmap_min_addr that takes CAP_SYS_RAWIO in the machine's own user namespace.",
  proof: "criu",
  run(context) {
    const { checkpoint, host, namespaces } = context;
    const least = numberIn(host, "/proc/sys/vm/mmap_min_addr") ?? 0;
    if ((host.capabilities & CAP_SYS_RAWIO) !== 0n && !namespaces.own.user) return [];
    return livingTasks(checkpoint).flatMap((task): Finding[] => {
      const vma = made(task).find(({ start }) => start < BigInt(least));
      if (vma === undefined) return [];
      return [
        {
          id: "mmap-min-addr",
          severity: "blocker",
          task: task.pid,
          image: `mm-${task.pid}.img`,
          subject: `0x${vma.start.toString(16)}`,
          message: `task ${task.pid} has memory at 0x${vma.start.toString(16)}; vm.mmap_min_addr is ${least} here`,
          criu_message: refused(vma, "EPERM"),
          remedy: {
            kind: "human",
            text: "lower the limit for the time of the restore, or restore with CAP_SYS_RAWIO",
            command: sh`sysctl -w vm.mmap_min_addr=${vma.start}`,
          },
        },
      ];
    });
  },
};

/** Mappings that no two neighbours of can become one: the kernel joins only adjoining ones of one protection. */
function separate(vmas: readonly Vma[]): number {
  let count = 0;
  let last: Vma | undefined;
  for (const vma of vmas) {
    const joins =
      last !== undefined &&
      last.end === vma.start &&
      last.prot === vma.prot &&
      last.flags === vma.flags;
    if (!joins) count += 1;
    last = vma;
  }
  return count;
}

export const mappingsTooMany: Check = {
  id: "mappings-too-many",
  title: "A task has more mappings than this kernel allows",
  reads: "mm-*.img; /proc/sys/vm/max_map_count",
  why: "Databases and search engines raise vm.max_map_count where they run; where it is lower, the restore stops in the middle of the task's mappings.",
  proof: "criu",
  run({ checkpoint, host }) {
    const most = numberIn(host, "/proc/sys/vm/max_map_count");
    if (most === undefined) return [];
    return livingTasks(checkpoint).flatMap((task): Finding[] => {
      const count = task.mm?.vmas.length ?? 0;
      if (count <= most) return [];
      return [
        {
          id: "mappings-too-many",
          severity: separate(made(task)) > most ? "blocker" : "warning",
          task: task.pid,
          image: `mm-${task.pid}.img`,
          subject: String(count),
          message: `task ${task.pid} has ${count} mappings; vm.max_map_count allows ${most} here`,
          criu_message: "mapping with 0xfffffffffffffff4",
          remedy: {
            kind: "human",
            text: "raise the limit",
            command: sh`sysctl -w vm.max_map_count=${2 ** Math.ceil(Math.log2(count + 1024))}`,
          },
        },
      ];
    });
  },
};

/** TASK_SIZE of x86-64: with five levels of page tables, or with four. */
const FIVE_LEVELS = (1n << 56n) - 4096n;
const FOUR_LEVELS = (1n << 47n) - 4096n;

export const addressSpace: Check = {
  id: "address-space",
  title: "A mapping lies higher than this processor's addresses reach",
  reads: "mm-*.img; la57 in /proc/cpuinfo (x86-64)",
  why: "A program that asked for it can use 57 bits of address where the processor has five levels of page tables; elsewhere there are 47.",
  proof: "criu",
  run({ checkpoint, host }) {
    if (process.arch !== "x64") return [];
    const highest = livingTasks(checkpoint).flatMap((task) => {
      const vma = made(task).find(({ end }) => end > FOUR_LEVELS);
      return vma === undefined ? [] : [{ task, vma }];
    });
    if (highest.length === 0) return [];
    const five = /^flags\s*:.*\bla57\b/m.test(host.read("/proc/cpuinfo") ?? "");
    return highest
      .filter(({ vma }) => !five || vma.end > FIVE_LEVELS)
      .map(({ task, vma }) => ({
        id: "address-space",
        severity: "blocker",
        task: task.pid,
        image: `mm-${task.pid}.img`,
        subject: `0x${vma.start.toString(16)}`,
        message: `task ${task.pid} has memory at 0x${vma.start.toString(16)}, which is beyond the addresses of this machine`,
        criu_message: refused(vma, "ENOMEM"),
        remedy: {
          kind: "human",
          text: "restore on a machine whose processor and kernel have five-level paging (la57)",
          command: null,
        },
      }));
  },
};
