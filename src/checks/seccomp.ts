/** Seccomp filters: complete in the images, and possible on this kernel (seccomp.c). */
import type { CoreEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";

export const MODE_FILTER = 2;
/** Bytes of a BPF instruction. */
const INSTRUCTION = 8;

/** Mode and last filter of a thread; old images have one for the whole task. */
export function seccompOf(core: CoreEntry | undefined, leader: CoreEntry | undefined) {
  const old = leader?.tc;
  const mode = core?.thread_core?.seccomp_mode ?? old?.old_seccomp_mode ?? 0;
  return { mode, filter: core?.thread_core?.seccomp_filter ?? old?.old_seccomp_filter ?? 0 };
}

/** Every living thread with filters. */
function filtered({ checkpoint }: Context): { task: number; tid: number; filter: number }[] {
  return livingTasks(checkpoint).flatMap((task) =>
    task.threads.flatMap(({ tid, core }) => {
      const { mode, filter } = seccompOf(core, task.core);
      return mode === MODE_FILTER ? [{ task: task.pid, tid, filter }] : [];
    }),
  );
}

export const seccompFilterMissing: Check = {
  id: "seccomp-filter-missing",
  title: "A thread's seccomp filter is not in the images",
  reads: "seccomp_mode and seccomp_filter in core-*.img, seccomp.img",
  why:
    "Filters stand in seccomp.img, each with a link to the one before. Without the image CRIU crashes in the task, a wrong number " +
    "stops it, and links in a circle keep it busy for ever.",
  proof: "criu",
  run(context) {
    const threads = filtered(context);
    if (threads.length === 0) return [];
    const entry = context.checkpoint.seccomp;
    const filters = entry?.seccomp_filters ?? [];
    // What is wrong with the chain that ends in a filter; undefined: nothing. Each is looked at once.
    const known = new Map<number, string | undefined>();
    const wrong = (last: number): string | undefined => {
      const walked: number[] = [];
      const here = new Set<number>();
      let result: string | undefined;
      for (let index = last; ;) {
        if (known.has(index)) {
          result = known.get(index);
          break;
        }
        const filter = filters[index];
        if (here.has(index)) result = "circle";
        else if (filter === undefined) result = `Corrupted filter index`;
        else if (filter.filter.length % INSTRUCTION !== 0) result = "Corrupted filter len";
        if (result !== undefined || filter === undefined) break;
        walked.push(index);
        here.add(index);
        if (filter.prev === undefined) break;
        index = filter.prev;
      }
      for (const index of walked) known.set(index, result);
      return result;
    };
    const reported = new Set<number>();
    return threads.flatMap(({ task, tid, filter }): Finding[] => {
      const problem = wrong(filter);
      if (problem === undefined || reported.has(filter)) return [];
      reported.add(filter);
      const message =
        entry === undefined
          ? `thread ${tid} has seccomp filters, and seccomp.img is not there`
          : problem === "circle"
            ? `the seccomp filters of thread ${tid} are linked in a circle: CRIU would never end`
            : `filter ${filter} of thread ${tid}, or one before it, is damaged or not in seccomp.img`;
      return [
        {
          id: "seccomp-filter-missing",
          severity: "blocker",
          task,
          image: "seccomp.img",
          subject: `thread ${tid}`,
          message,
          criu_message:
            entry === undefined || problem === "circle" ? null : `${problem} on tid ${tid}`,
          remedy: {
            kind: "human",
            text: "take an intact copy of seccomp.img, or dump again",
            command: null,
          },
        },
      ];
    });
  },
};

export const seccompUnsupported: Check = {
  id: "seccomp-unsupported",
  title: "This kernel has no seccomp filters",
  reads: "seccomp_mode in core-*.img; Seccomp in /proc/self/status",
  why: "A kernel without CONFIG_SECCOMP_FILTER refuses the filters that the tasks had.",
  proof: "images",
  run(context) {
    const status = context.host.read("/proc/self/status");
    const [first] = filtered(context);
    if (first === undefined || status === undefined || /^Seccomp:/m.test(status)) return [];
    return [
      {
        id: "seccomp-unsupported",
        severity: "blocker",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid} has seccomp filters, which this kernel does not have`,
        criu_message: "seccomp: SECCOMP_SET_MODE_FILTER returned",
        remedy: {
          kind: "human",
          text: "restore on a kernel with CONFIG_SECCOMP_FILTER",
          command: null,
        },
      },
    ];
  },
};

export const seccompSuspend: Check = {
  id: "seccomp-suspend",
  title: "CRIU is filtered itself and cannot suspend the tasks' filters",
  reads: "seccomp_mode in core-*.img; Seccomp in /proc/self/status",
  why:
    "The last steps of a restore are system calls in the task, after its filters are back. CRIU has the kernel suspend them for that, which a process under " +
    "a filter of its own (in most containers) may not ask for. Then a strict filter kills the task, and CRIU waits for it for ever.",
  proof: "criu",
  run(context) {
    const own = /^Seccomp:\s*(\d+)$/m.exec(context.host.read("/proc/self/status") ?? "")?.[1];
    const [first] = own === undefined || own === "0" ? [] : filtered(context);
    if (first === undefined) return [];
    return [
      {
        id: "seccomp-suspend",
        severity: "warning",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid} has seccomp filters, and CRIU, which will run under one itself, may not suspend them`,
        criu_message: "failed to suspend seccomp, restore will probably fail...",
        remedy: {
          kind: "human",
          text: "run it outside of this container, or run the container without a seccomp profile",
          command: null,
        },
      },
    ];
  },
};
