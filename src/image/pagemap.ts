/** A page map without its objects: how many pages it puts where, in one pass over its bytes. */
import type { Entry } from "./frame.ts";

const PE_PARENT = 1;
const PE_LAZY = 2;
const PE_PRESENT = 4;

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
    const flags: number = value.flags ?? (value.in_parent ? PE_PARENT : PE_PRESENT);
    if (flags & PE_PRESENT) sum.present += Number(value.nr_pages ?? value.compat_nr_pages);
    if (flags & PE_PARENT) sum.parent = true;
    if (flags & PE_LAZY && !(flags & PE_PRESENT)) sum.lazy = true;
  }
  return sum;
}
