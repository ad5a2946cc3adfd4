/** A task's mappings, and how much of each the images have. */
import type { Checkpoint, Task } from "../image/index.ts";
import { MemoryBytes } from "../image/memory-bytes.ts";
import { nameOf } from "../verify/memory-maps.ts";

export interface ShownMapping {
  /** As /proc/PID/maps has it: addresses, rights, what is mapped. */
  readonly what: string;
  readonly from: number;
  readonly bytes: number;
  /** Bytes of it that the images, or their parents, have. */
  readonly saved: number;
}

export function shownMappings(checkpoint: Checkpoint, task: Task): ShownMapping[] {
  using memory = new MemoryBytes(checkpoint, `pagemap-${task.pid}.img`);
  const runs = memory.runs;
  let next = 0;
  // Both lie in the order of their addresses.
  return (task.mm?.vmas ?? []).map((vma) => {
    const [from, to] = [Number(vma.start), Number(vma.end)];
    let saved = 0;
    while (next < runs.length && runs[next]!.from + runs[next]!.bytes <= from) next += 1;
    for (let at = next; at < runs.length && runs[at]!.from < to; at += 1) {
      const end = runs[at]!.from + runs[at]!.bytes;
      saved += Math.max(0, Math.min(to, end) - Math.max(from, runs[at]!.from));
    }
    return { what: nameOf(checkpoint, task, vma), from, bytes: to - from, saved };
  });
}
