import type { Check } from "../finding.ts";
import { mib } from "./limits.ts";
import { memoryLimitOf } from "./machine.ts";

export const cgroupMemoryShort: Check = {
  title: "The cgroup that the tree will be in allows less memory than it has",
  reads: "pagemap-*.img, cgroup.img; memory.max, memory.limit_in_bytes, /proc/self/cgroup",
  why:
    "What CRIU restores counts for the cgroup that the tree is put in, or for that of the restore: beyond the limit the kernel swaps, or kills CRIU or a task " +
    "of the tree in the middle of the restore. Of that CRIU's log says nothing but that something died.",
  proof: "harm",
  blocks: false,
  run(context) {
    let bytes = 0;
    for (const { memory } of context.checkpoint.pages()) bytes += memory;
    const limit = bytes > 0 ? memoryLimitOf(context) : undefined;
    if (limit === undefined || bytes <= limit) return [];
    return [
      {
        severity: "warning",
        image: "pages-*.img",
        subject: mib(bytes),
        message: `the images hold ${mib(bytes)} of memory; the cgroup that the tree will be in allows ${mib(limit)}`,
        remedy: {
          kind: "human",
          text: "raise the cgroup's limit of memory, or restore in another one (--cgroup-root)",
        },
      },
    ];
  },
};
