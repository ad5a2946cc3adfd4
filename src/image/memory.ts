/** What a checkpoint has of memory: page maps, and the pages images that they tell of. Pages themselves are not read. */
import type { PackedPages, PagesUse } from "./checkpoint.ts";
import { type Content, contentsOf, wantedRuns } from "./contents.ts";
import type { ImageDirectory } from "./directory.ts";
import type { Images, Need } from "./images.ts";
import { oncePer, remembering } from "./once.ts";
import { type Pagemap, runsOf, type StoredRun, sumPagemap } from "./pagemap.ts";
import { type LostPages, Parents } from "./parents.ts";
import { pageSize } from "../sys/process.ts";
import { pagemap_entry, pagemap_head } from "./tables/memory.ts";
import type { Task } from "./task.ts";

export class Memory {
  private readonly once = remembering();
  private readonly sums = oncePer(sumPagemap);

  constructor(
    private readonly directory: ImageDirectory,
    private readonly images: Images,
    private readonly tasks: () => readonly Task[],
  ) {}

  get pagemaps(): ReadonlyMap<string, Pagemap> {
    return this.once("pagemaps", () => {
      const sums = new Map<string, Pagemap>();
      for (const task of this.tasks())
        if (task.state !== "dead") this.sum(sums, `pagemap-${task.pid}.img`, "required");
      for (const file of this.directory.names)
        if (/^pagemap-shmem-\d+\.img$/.test(file)) this.sum(sums, file, "optional");
      return sums;
    });
  }

  private sum(sums: Map<string, Pagemap>, file: string, need: Need): void {
    const [head] = this.images.values(file, pagemap_head, need);
    if (head !== undefined)
      sums.set(file, {
        pagesId: head.pages_id,
        ...this.sums(this.images.values(file, pagemap_entry, need)),
      });
  }

  pages(): readonly PagesUse[] {
    return this.once("pages", () => {
      const users = Map.groupBy(this.pagemaps, ([, { pagesId }]) => `pages-${pagesId}.img`);
      return [...users].map(([file, maps]) => ({
        file,
        expected: maps.reduce((sum, [, { stored }]) => sum + stored, 0),
        memory: maps.reduce((sum, [, { present }]) => sum + present * pageSize(), 0),
        actual: this.directory.size(file),
        pagemaps: maps.map(([pagemap]) => pagemap),
      }));
    });
  }

  runs(pagemap: string): IteratorObject<StoredRun> {
    return runsOf(this.images.values(pagemap, pagemap_entry, "optional"));
  }

  holdsPages(pagemap: string, first: number, end: number): boolean {
    // Of a mapping each: its runs are not gone through for every one. They are in the order of their pages.
    const { starts, ends } = this.once(`spans ${pagemap}`, () => {
      const entries = this.images.values(pagemap, pagemap_entry, "optional");
      const spans = {
        starts: new Float64Array(entries.length),
        ends: new Float64Array(entries.length),
      };
      let at = 0;
      for (const { page, pages } of runsOf(entries)) {
        spans.starts[at] = page;
        spans.ends[at++] = page + pages;
      }
      return spans;
    });
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! > first) high = middle;
      else low = middle + 1;
    }
    return low < starts.length && starts[low]! < end;
  }

  contents(pagemap: string, lazy: boolean): Content[] {
    const pagesId = this.pagemaps.get(pagemap)?.pagesId;
    if (pagesId === undefined) return [];
    return contentsOf(this.directory, pagemap, pagesId, () => this.runs(pagemap), lazy);
  }

  /** The first page map with compressed pages, and the parent that has them; undefined where none has. */
  get packed(): PackedPages | undefined {
    return this.once("packed", () => {
      const parents = new Parents(this.directory);
      for (const [pagemap, { packed }] of this.pagemaps) {
        const parent = packed ? undefined : parents.packed(pagemap);
        if (packed || parent !== undefined) return { pagemap, parent };
      }
      return undefined;
    });
  }

  lostPages(lazy: boolean): readonly LostPages[] {
    return this.once(`lost ${lazy}`, () => {
      const parents = new Parents(this.directory);
      // Where there is no parent, only a page that should be in one is lost.
      const incremental = this.directory.names.has("parent");
      return [...this.pagemaps].flatMap(([file, { parent }]) =>
        incremental || parent ? (parents.lost(file, wantedRuns(this.runs(file), lazy)) ?? []) : [],
      );
    });
  }
}
