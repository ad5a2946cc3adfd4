import { PROT_WRITE } from "../../sys/linux.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { livingTasks } from "../paths.ts";
import { made, numberIn, type Vma } from "./limits.ts";
import { madeWritable } from "./made-writable.ts";

/** Mappings that no two neighbours of can become one: the kernel joins only adjoining ones of one protection. */
function separate(vmas: readonly Vma[], protection: (vma: Vma) => number): number {
  let count = 0;
  let last: Vma | undefined;
  for (const vma of vmas) {
    const joins =
      last !== undefined &&
      last.end === vma.start &&
      protection(last) === protection(vma) &&
      last.flags === vma.flags;
    if (!joins) count += 1;
    last = vma;
  }
  return count;
}

const saved = ({ prot }: Vma): number => prot;

export const mappingsTooMany: Check = {
  title: "A task has more mappings than this kernel allows",
  reads: "mm-*.img and pagemap-*.img; /proc/sys/vm/max_map_count",
  why:
    "Databases and search engines raise vm.max_map_count where they run; where it is lower, the restore stops in the middle of the task's mappings. " +
    "Those that CRIU makes writable for the moment may be one with their neighbours until then: it does not notice that they cannot be separated any more.",
  proof: "criu",
  answers: ["host", "person"],
  run(context) {
    const { checkpoint, host } = context;
    const most = numberIn(host, "/proc/sys/vm/max_map_count");
    if (most === undefined) return [];
    return livingTasks(checkpoint)
      .values()
      .flatMap((task): Problem[] => {
        const count = task.mm?.vmas.length ?? 0;
        if (count <= most) return [];
        const vmas = made(task);
        const lost = separate(vmas, saved) > most;
        const fails = lost && separate(vmas, atFirst(context, task)) > most;
        return [
          {
            severity: lost ? "blocker" : "warning",
            task: task.pid,
            image: `mm-${task.pid}.img`,
            subject: String(count),
            message: `task ${task.pid} has ${count} mappings; vm.max_map_count allows ${most} here${lost && !fails ? ": CRIU would leave some of them writable that were not" : ""}`,
            criu_message: lost && !fails ? null : "mapping with 0xfffffffffffffff4",
            remedy: raised("vm/max_map_count", {
              from: most,
              to: 2 ** Math.ceil(Math.log2(count + 1024)),
              stays: true,
            }),
          },
        ];
      });
  },
};

/** The protection that CRIU makes a mapping with. */
const atFirst =
  (context: Context, task: Parameters<typeof madeWritable>[1]) =>
  (vma: Vma): number =>
    vma.prot | (madeWritable(context, task, vma) === undefined ? 0 : PROT_WRITE);
