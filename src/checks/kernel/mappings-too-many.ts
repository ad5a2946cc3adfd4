import type { Check, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { livingTasks } from "../paths.ts";
import { made, numberIn, type Vma } from "./limits.ts";

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
  title: "A task has more mappings than this kernel allows",
  reads: "mm-*.img; /proc/sys/vm/max_map_count",
  why: "Databases and search engines raise vm.max_map_count where they run; where it is lower, the restore stops in the middle of the task's mappings.",
  proof: "criu",
  answers: ["host", "person"],
  run({ checkpoint, host }) {
    const most = numberIn(host, "/proc/sys/vm/max_map_count");
    if (most === undefined) return [];
    return livingTasks(checkpoint)
      .values()
      .flatMap((task): Problem[] => {
        const count = task.mm?.vmas.length ?? 0;
        if (count <= most) return [];
        return [
          {
            severity: separate(made(task)) > most ? "blocker" : "warning",
            task: task.pid,
            image: `mm-${task.pid}.img`,
            subject: String(count),
            message: `task ${task.pid} has ${count} mappings; vm.max_map_count allows ${most} here`,
            criu_message: "mapping with 0xfffffffffffffff4",
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
