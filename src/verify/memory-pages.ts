/** Pages of a process and of the images side by side. What cannot be read on either side is told, never taken for equal. */
import { closeSync, readSync } from "node:fs";
import type { Content } from "../image/index.ts";
import type { PageRange } from "../sys/memory.ts";
import { pageSize } from "../sys/process.ts";
import { openRegular } from "../sys/regular.ts";

/** A page that is not the saved one. */
export interface Differing {
  page: number;
  /** Of the first byte that differs, and both its values in hexadecimal. */
  address: number;
  saved: string;
  found: string;
  /** All that differs in it is where the kernel writes. */
  kernels: boolean;
}

/** Addresses, `to` not among them. */
interface Area {
  from: number;
  to: number;
}

export interface Told {
  differs(page: Differing): void;
  /** So many pages were not compared. */
  skips(pages: number, why: string): void;
}

/** What fits into a processor's cache twice: larger pieces take longer. */
const CHUNK = 256 << 10;
/** Pages of one piece that are tried although others before them could not be read. */
const MOST_UNREAD = 1024;

export class PageReader {
  /** Pages so far. */
  compared = 0;
  private readonly now = Buffer.alloc(CHUNK);
  private readonly saved = Buffer.alloc(CHUNK);
  private readonly zeros = Buffer.alloc(CHUNK);
  private readonly images = new Map<string, number>();

  /** `memory`: an open /proc/PID/mem. `areas`: where the kernel writes by itself. */
  compare(memory: number, content: Content, areas: readonly Area[], told: Told): void {
    if (content.packed) return told.skips(content.pages, "their pages image is compressed");
    const image = this.image(content.file);
    if (image < 0) told.skips(content.pages, "their pages image cannot be read");
    else this.run(memory, content, areas, told, image, content.offset);
  }

  /** Compare pages that no image has with zeros. */
  compareZeros(memory: number, { from, to }: PageRange, told: Told): void {
    this.run(memory, { page: from, pages: to - from }, [], told);
  }

  close(): void {
    for (const fd of this.images.values()) if (fd >= 0) closeSync(fd);
  }

  private image(file: string): number {
    let fd = this.images.get(file);
    if (fd === undefined) this.images.set(file, (fd = openToRead(file)));
    return fd;
  }

  private run(
    memory: number,
    { page: first, pages }: { page: number; pages: number },
    areas: readonly Area[],
    told: Told,
    image?: number,
    offset = 0,
  ): void {
    const size = pageSize();
    const step = CHUNK / size;
    const saved = image === undefined ? this.zeros : this.saved;
    const load = (page: number, length: number) => ({
      now: read(memory, this.now, length, page * size),
      image: image === undefined || read(image, saved, length, offset + (page - first) * size),
    });
    let unread = 0;
    for (let page = first; page < first + pages; page += step) {
      const count = Math.min(step, first + pages - page);
      const got = load(page, count * size);
      if (got.now && got.image && this.now.compare(saved, 0, count * size, 0, count * size) === 0) {
        this.compared += count;
        continue;
      }
      for (let one = page; one < page + count; one += 1) {
        const alone = load(one, size);
        const left = first + pages - one;
        // A page map can promise more than there is in all the world.
        if (!alone.image) return told.skips(left, "their pages image ends early");
        if (alone.now) {
          this.compared += 1;
          const differs = difference(one, this.now, saved, areas);
          if (differs !== undefined) told.differs(differs);
        } else if ((unread += 1) > MOST_UNREAD) {
          return told.skips(left, "their memory cannot be read");
        } else told.skips(1, "their memory cannot be read");
      }
    }
  }
}

/** Whether all of it could be read. */
function read(fd: number, into: Buffer, length: number, position: number): boolean {
  try {
    let got = 0;
    for (let more = -1; got < length && more !== 0; got += more)
      more = readSync(fd, into, got, length - got, position + got);
    return got === length;
  } catch {
    return false;
  }
}

function difference(
  page: number,
  now: Buffer,
  saved: Buffer,
  areas: readonly Area[],
): Differing | undefined {
  const start = page * pageSize();
  let kernels: Differing | undefined;
  for (let at = 0; at < pageSize(); at += 1) {
    if (now[at] === saved[at]) continue;
    const address = start + at;
    const inside = areas.some(({ from, to }) => from <= address && address < to);
    if (inside && kernels !== undefined) continue;
    const [was, is] = [saved[at]!.toString(16), now[at]!.toString(16)];
    const differing = { page, address, saved: was, found: is, kernels: inside };
    if (!inside) return differing;
    kernels = differing;
  }
  return kernels;
}

/** A regular file to read, or below 0. */
export function openToRead(path: string): number {
  const opened = openRegular(path);
  // What it was for is told as not compared.
  return opened.ok ? opened.fd : -1;
}

/** What of `ranges` is in none of `others`; both in order. */
export function without(ranges: readonly PageRange[], others: readonly PageRange[]): PageRange[] {
  const left: PageRange[] = [];
  let next = 0;
  for (const { from, to } of ranges) {
    let at = from;
    while (at < to) {
      while (next < others.length && others[next]!.to <= at) next += 1;
      const other = others[next];
      if (other === undefined || other.from >= to) {
        left.push({ from: at, to });
        break;
      }
      if (other.from > at) left.push({ from: at, to: other.from });
      at = other.to;
    }
  }
  return left;
}
