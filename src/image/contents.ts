/** Where the content of memory is: which pages image has a page, and where in it. */
import type { ImageDirectory } from "./directory.ts";
import { PE_LAZY, PE_PARENT, PE_PRESENT, type Run, type StoredRun } from "./pagemap.ts";
import { Parents } from "./parents.ts";

/** Neighbouring pages with contents that lie together in one pages image. */
export interface Content {
  /** The number of the first. */
  readonly page: number;
  readonly pages: number;
  /** The pages image, and where in it the first page begins. */
  readonly file: string;
  readonly offset: number;
  /** It is compressed: `offset` is where the run that it is part of begins, and a page cannot be read from there. */
  readonly packed: boolean;
}

/** The runs that a restore reads; with `lazy`, those that are fetched otherwise are none of them. */
export const wantedRuns = (runs: IteratorObject<Run>, lazy: boolean): Iterable<Run> =>
  lazy ? runs.filter(({ flags }) => !(flags & PE_LAZY)) : runs;

/** Where the pages of a page map are, by address: in its own pages image `pagesId`, or in a parent's as far as it has them. */
export function contentsOf(
  directory: ImageDirectory,
  pagemap: string,
  pagesId: number,
  runs: () => IteratorObject<StoredRun>,
  lazy: boolean,
): Content[] {
  const contents: Content[] = [];
  const file = `${directory.path}/pages-${pagesId}.img`;
  for (const { page, pages, flags, offset, packed } of runs()) {
    if (flags & PE_PARENT || !(flags & PE_PRESENT)) continue;
    if (!(lazy && flags & PE_LAZY)) contents.push({ page, pages, file, offset, packed });
  }
  new Parents(directory).lost(pagemap, wantedRuns(runs(), lazy), (one) => contents.push(one));
  return contents.sort((a, b) => a.page - b.page);
}
