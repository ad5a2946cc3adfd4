/** A page map without its objects: how many pages it puts where, in one pass over its bytes. */
import { pageSize } from "../sys/process.ts";
import type { pagemap_entry } from "./tables/memory.ts";
import type { Infer } from "./schema.ts";

export const PE_PARENT = 1;
export const PE_LAZY = 2;
export const PE_PRESENT = 4;

export interface Pagemap {
  /** pages-N.img holds its pages. */
  readonly pagesId: number;
  /** Pages that are in that file. */
  readonly present: number;
  /** Some pages are in an older checkpoint (`parent`). */
  readonly parent: boolean;
  /** Some pages were left to be fetched later. */
  readonly lazy: boolean;
}

/** Sum up decoded entries, one a run of pages. Flags are absent in old images: then in_parent tells. */
export function sumPagemap(pagesId: number, runs: readonly PagemapEntry[]): Pagemap {
  let [present, parent, lazy] = [0, false, false];
  for (const run of runs) {
    const flags = flagsOf(run);
    if (flags & PE_PRESENT) present += pagesOf(run);
    if (flags & PE_PARENT) parent = true;
    if (flags & PE_LAZY && !(flags & PE_PRESENT)) lazy = true;
  }
  return { pagesId, present, parent, lazy };
}

type PagemapEntry = Infer<typeof pagemap_entry>;

const flagsOf = (entry: PagemapEntry): number =>
  (entry.flags ?? (entry.in_parent ? 0 : PE_PRESENT)) | (entry.in_parent ? PE_PARENT : 0);

const pagesOf = (entry: PagemapEntry): number => Number(entry.nr_pages ?? entry.compat_nr_pages);

/** Neighbouring pages of one kind. */
export interface Run {
  /** The number of the first: its address through the size of a page. */
  readonly page: number;
  readonly pages: number;
  /** PE_… */
  readonly flags: number;
}

/** The runs of a page map, in its order. */
export function runsOf(entries: readonly PagemapEntry[]): Run[] {
  const size = pageSize();
  return entries.map((entry) => ({
    page: Number(entry.vaddr) / size,
    pages: pagesOf(entry),
    flags: flagsOf(entry),
  }));
}
