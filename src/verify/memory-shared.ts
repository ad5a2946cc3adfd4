/** Memory that tasks share, compared once however many have mapped it: it is told apart by its inode on this machine. */
import type { Checkpoint, Content } from "../image/index.ts";
import type { PageRange } from "../sys/memory.ts";
import { pageSize } from "../sys/process.ts";
import type { LiveTask } from "./live.ts";
import { endPage, firstPage, shmemOf, type Vma } from "./memory-maps.ts";
import { without } from "./memory-pages.ts";

/** A mapping of it in one task. */
export interface SharedMapping {
  /** What is saved of it. Page numbers are those in the task. */
  contents: Content[];
  /** Where the kernel shows the memory as a file, and the pages of that which are mapped: in the task they are `shift` further. */
  file: string;
  within: PageRange;
  shift: number;
}

export class SharedMemory {
  private readonly seen = new Set<string>();
  /** Of each page map, what tasks have mapped. */
  private readonly mapped = new Map<string, PageRange[]>();

  constructor(private readonly checkpoint: Checkpoint) {}

  /** Those of a task's mappings that were not seen in another's. */
  mappings({ proc, pid }: LiveTask, vmas: readonly Vma[]): SharedMapping[] {
    const lines = vmas.length === 0 ? [] : (proc.read("maps") ?? "").split("\n");
    const maps = new Map(lines.map((line) => [Number.parseInt(line, 16), line.split(" ")]));
    return vmas.flatMap((vma) => {
      const pagemap = shmemOf(this.checkpoint, vma);
      if (pagemap === undefined) return [];
      const from = Number(vma.pgoff) / pageSize();
      const to = from + endPage(vma) - firstPage(vma);
      const [name, , , device, inode] = maps.get(Number(vma.start)) ?? [];
      const key = `${pagemap} ${inode === undefined ? `${pid} ${vma.start}` : `${device} ${inode}`} ${from} ${to}`;
      if (this.seen.has(key)) return [];
      this.seen.add(key);
      this.mapped.set(pagemap, [...(this.mapped.get(pagemap) ?? []), { from, to }]);
      const contents = this.checkpoint
        .contents(pagemap, false)
        .flatMap((content) => within(content, from, to, firstPage(vma)));
      const file = `/proc/${pid}/map_files/${name}`;
      return [{ contents, file, shift: firstPage(vma) - from, within: { from, to } }];
    });
  }

  /** How many saved pages no task has mapped, by page map. */
  unseen(): [pagemap: string, pages: number][] {
    return [...this.checkpoint.pagemaps.keys()].flatMap((pagemap): [string, number][] => {
      if (!pagemap.includes("shmem")) return [];
      const saved = this.checkpoint.contents(pagemap, false);
      const mapped = (this.mapped.get(pagemap) ?? []).toSorted((a, b) => a.from - b.from);
      const ranges = saved.map(({ page, pages }) => ({ from: page, to: page + pages }));
      const left = without(ranges, mapped).reduce((sum, { from, to }) => sum + to - from, 0);
      return left === 0 ? [] : [[pagemap, left]];
    });
  }
}

/** The part of a content between two pages of the shared memory, mapped from page `at` on. */
function within(
  { page, pages, file, offset, packed }: Content,
  from: number,
  to: number,
  at: number,
) {
  const [first, end] = [Math.max(page, from), Math.min(page + pages, to)];
  if (first >= end) return [];
  const moved = packed ? offset : offset + (first - page) * pageSize();
  return [{ page: at + first - from, pages: end - first, file, offset: moved, packed }];
}
