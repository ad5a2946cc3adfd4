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
  return (task.mm?.vmas ?? []).map((vma) => {
    const [from, to] = [Number(vma.start), Number(vma.end)];
    const saved = memory.saved(from, to);
    return { what: nameOf(checkpoint, task, vma), from, bytes: to - from, saved };
  });
}
