/** A page map without its objects: how many pages it puts where, in one pass over its bytes. */
import { pageSize } from "../sys/process.ts";
import type { Entry } from "./frame.ts";
import type { pagemap_entry } from "./tables/memory.ts";
import type { Infer } from "./schema.ts";

export const PE_PARENT = 1;
export const PE_LAZY = 2;
export const PE_PRESENT = 4;

export interface Pagemap {
  /** pages-N.img holds its pages. */
  pagesId: number;
  /** Pages that are in that file. */
  present: number;
  /** Some pages are in an older checkpoint (`parent`). */
  parent: boolean;
  /** Some pages were left to be fetched later. */
  lazy: boolean;
}

/** Sum up decoded entries: the head, then one entry a run of pages. Flags are absent in old images: then in_parent tells. */
export function sumPagemap(entries: readonly Entry[]): Pagemap | undefined {
  const [head, ...runs] = entries;
  if (head === undefined) return undefined;
  const sum: Pagemap = { pagesId: head.value.pages_id, present: 0, parent: false, lazy: false };
  for (const { value } of runs) {
    const flags = flagsOf(value);
    if (flags & PE_PRESENT) sum.present += pagesOf(value);
    if (flags & PE_PARENT) sum.parent = true;
    if (flags & PE_LAZY && !(flags & PE_PRESENT)) sum.lazy = true;
  }
  return sum;
}

type PagemapEntry = Infer<typeof pagemap_entry>;

const flagsOf = (entry: PagemapEntry): number =>
  (entry.flags ?? (entry.in_parent ? 0 : PE_PRESENT)) | (entry.in_parent ? PE_PARENT : 0);

const pagesOf = (entry: PagemapEntry): number => Number(entry.nr_pages ?? entry.compat_nr_pages);

/** Neighbouring pages of one kind. */
export interface Run {
  /** The number of the first: its address through the size of a page. */
  page: number;
  pages: number;
  /** PE_… */
  flags: number;
}

/** The runs of a page map, in its order. */
export function runsOf(entries: readonly Entry[]): Run[] {
  const size = pageSize();
  return entries.slice(1).map(({ value }) => ({
    page: Number(value.vaddr) / size,
    pages: pagesOf(value),
    flags: flagsOf(value),
  }));
}
