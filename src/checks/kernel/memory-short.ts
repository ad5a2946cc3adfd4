import { oncePer } from "../../image/index.ts";
import { MAP_HUGETLB, MAP_SHARED, PROT_WRITE } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { livingTasks } from "../paths.ts";
import { lengthOf, made, mib, numberIn, refused, type Vma } from "./limits.ts";
import { madeWritable } from "./made-writable.ts";
import { MAP_NORESERVE, meminfo } from "./limits.ts";

/** What the kernel may account for (mmap(2), vm.overcommit_memory): private memory, once it can be written to. */
const accountable = (vma: Vma): boolean => (vma.flags & (MAP_SHARED | MAP_HUGETLB)) === 0;

export const memoryShort: Check = {
  title: "This machine has too little memory for the tree",
  reads: "mm-*.img and pagemap-*.img; /proc/meminfo, /proc/sys/vm/overcommit_memory",
  why:
    "The kernel refuses a single mapping that is larger than memory and swap together (vm.overcommit_memory=0), or all that go beyond its " +
    "commit limit (2). CRIU before 4.3 makes even reservations of addresses (PROT_NONE) writable for the moment where a child has them too, where pages " +
    "are fetched lazily or from a stream, or lie in a parent checkpoint. With less free memory than the images hold, the restore pushes everything else out, or the OOM killer ends it.",
  proof: "criu",
  answers: ["host", "person"],
  run: (context) => [...overcommitted(context), ...beyondFree(context)],
};

function overcommitted(context: Context): Problem[] {
  const { checkpoint, host } = context;
  const mode = numberIn(host, "/proc/sys/vm/overcommit_memory");
  const overcommit = (task: number | null, subject: string, message: string, criu: string) =>
    ({
      severity: "blocker",
      task,
      image: task === null ? "mm-*.img" : `mm-${task}.img`,
      subject,
      message,
      criu_message: criu,
      remedy: raised("vm/overcommit_memory", {
        from: mode!,
        to: 1,
        stays: true,
        text: "let the kernel promise more memory than it has, as it must have where the tree ran, or add swap",
      }),
    }) as const satisfies Problem;

  if (mode === 0) {
    const whole = meminfo(host, "MemTotal") + meminfo(host, "SwapTotal");
    const tooLarge = oncePer((vmas: readonly Vma[]) =>
      vmas.filter(
        (one) => accountable(one) && !(one.flags & MAP_NORESERVE) && lengthOf(one) > whole,
      ),
    );
    return livingTasks(checkpoint).flatMap((task) => {
      const vma = tooLarge(made(task)).find(
        (one) => madeWritable(context, task, one) !== undefined,
      );
      if (vma === undefined) return [];
      const size = mib(lengthOf(vma));
      const reserved =
        (vma.prot & PROT_WRITE) === 0 ? ", which CRIU makes writable for the moment" : "";
      return [
        overcommit(
          task.pid,
          size,
          `task ${task.pid} has one mapping of ${size}${reserved}; memory and swap are ${mib(whole)} here, and vm.overcommit_memory=0 allows no larger one`,
          madeWritable(context, task, vma) === "elsewhere"
            ? "Unable to map ANON_VMA: Cannot allocate memory"
            : refused(vma, "ENOMEM"),
        ),
      ];
    });
  }
  if (mode !== 2) return [];
  let sum = 0;
  let first: Vma | undefined;
  for (const task of livingTasks(checkpoint))
    for (const vma of made(task))
      if (accountable(vma) && madeWritable(context, task, vma) !== undefined) {
        sum += lengthOf(vma);
        first ??= vma;
      }
  const limit = meminfo(host, "CommitLimit");
  if (first === undefined || sum <= limit) return [];
  return [
    overcommit(
      null,
      mib(sum),
      `the tree has ${mib(sum)} of private memory; the commit limit is ${mib(limit)} here (vm.overcommit_memory=2)`,
      "mapping with 0xfffffffffffffff4",
    ),
  ];
}

function beyondFree({ checkpoint, host }: Context): Problem[] {
  let bytes = 0;
  for (const { memory } of checkpoint.pages()) bytes += memory;
  const free = meminfo(host, "MemAvailable") + meminfo(host, "SwapFree");
  if (free === 0 || bytes <= free) return [];
  return [
    {
      severity: "warning",
      image: "pages-*.img",
      subject: mib(bytes),
      message: `the images hold ${mib(bytes)} of memory; ${mib(free)} are free here, swap included`,
      remedy: {
        kind: "human",
        text: "free memory or add swap before the restore",
        command: sh`free -m`,
      },
    },
  ];
}
