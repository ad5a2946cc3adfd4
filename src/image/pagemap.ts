/** A page map without its objects: how many pages it puts where. */
import { pageSize } from "../sys/process.ts";
import type { pagemap_entry } from "./tables/memory.ts";
import type { Infer } from "./schema.ts";

export const PE_PARENT = 1;
export const PE_LAZY = 2;
export const PE_PRESENT = 4;
/** The content begins at the next whole page of the pages image (CRIU 4.3, among packed ones). */
const PE_PAYLOAD_ALIGNED = 8;

export interface Pagemap {
  /** pages-N.img holds its pages. */
  readonly pagesId: number;
  /** Pages that are in that file. */
  readonly present: number;
  /** Bytes that they take there; packed ones take fewer than they have. */
  readonly stored: number;
  /** Some pages are in an older checkpoint (`parent`). */
  readonly parent: boolean;
  /** Some pages were left to be fetched later. */
  readonly lazy: boolean;
  /** Some pages are compressed. */
  readonly packed: boolean;
}

/** Sum up decoded entries, one a run of pages. */
export function sumPagemap(entries: readonly PagemapEntry[]): Omit<Pagemap, "pagesId"> {
  let [present, stored, parent, lazy, packed] = [0, 0, false, false, false];
  for (const { pages, flags, offset, bytes, packed: some } of runsOf(entries)) {
    if (flags & PE_PRESENT) {
      present += pages;
      stored = offset + bytes;
    }
    if (flags & PE_PARENT) parent = true;
    if (flags & PE_LAZY && !(flags & PE_PRESENT)) lazy = true;
    if (some) packed = true;
  }
  return { present, stored, parent, lazy, packed };
}

type PagemapEntry = Infer<typeof pagemap_entry>;

/** Flags are absent in old images: then in_parent tells. */
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

/** A run of a page map, and where the pages image has its content; nowhere (no bytes) without PE_PRESENT. */
export interface StoredRun extends Run {
  readonly offset: number;
  readonly bytes: number;
  /** The bytes are LZ4's, in blocks: no page of it can be pointed at. */
  readonly packed: boolean;
}

/** The runs of a page map, in its order, which is that of the pages image. One by one: there can be hundreds of thousands. */
export function* runsOf(entries: readonly PagemapEntry[]): Generator<StoredRun, void> {
  const size = pageSize();
  let end = 0;
  for (const entry of entries) {
    const [pages, flags] = [pagesOf(entry), flagsOf(entry)];
    const packed = entry.blocks !== undefined;
    const offset = flags & PE_PAYLOAD_ALIGNED ? Math.ceil(end / size) * size : end;
    const whole = entry.blocks?.block_sizes.reduce((sum, block) => sum + block, 0) ?? pages * size;
    const bytes = flags & PE_PRESENT ? whole : 0;
    if (flags & PE_PRESENT) end = offset + bytes;
    yield { page: Number(entry.vaddr) / size, pages, flags, offset, bytes, packed };
  }
}
