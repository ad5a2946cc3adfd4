/** Which pages there are: of a process's private memory, not untouched and not a file's (pagemap in proc(5)); of a file. */
import { readSync } from "node:fs";
import { ptr } from "bun:ffi";
import { call } from "./libc.ts";
import { pageSize } from "./process.ts";

/** Numbers of pages, `to` not among them. */
export interface PageRange {
  from: number;
  to: number;
}

const SYS_ioctl = process.arch === "x64" ? 16n : 29n;
/** ioctl_pagemap_scan(2), Linux 6.7; struct pm_scan_arg is twelve numbers. */
const PAGEMAP_SCAN = 0xc0606610n;
const PAGE_IS_FILE = 4n;
const PAGE_IS_PRESENT = 8n;
const PAGE_IS_SWAPPED = 16n;
const PAGE_IS_PFNZERO = 32n;
const REGIONS = 4096;

/** Those of `within`, in order, from an open /proc/PID/pagemap. Undefined when it cannot be told. */
export function ownPages(pagemap: number, within: readonly PageRange[]): PageRange[] | undefined {
  return scan(pagemap, within) ?? entries(pagemap, within);
}

/** The kernel lists them: untouched memory of any size takes no time. */
export function scan(pagemap: number, within: readonly PageRange[]): PageRange[] | undefined {
  const size = BigInt(pageSize());
  const regions = new BigUint64Array(3 * REGIONS);
  const found: PageRange[] = [];
  for (const { from, to } of within) {
    const end = BigInt(to) * size;
    for (let start = BigInt(from) * size; start < end;) {
      // size, flags, start, end, walk_end, vec, vec_len, max_pages, and masks: inverted, all of, any of, returned.
      const not = PAGE_IS_FILE | PAGE_IS_PFNZERO;
      const any = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
      const into = BigInt(ptr(regions));
      const words = [96n, 0n, start, end, 0n, into, BigInt(REGIONS), 0n, not, not, any, 0n];
      const arg = new BigUint64Array(words);
      const count = call((c) =>
        c.syscall(SYS_ioctl, BigInt(pagemap), PAGEMAP_SCAN, BigInt(ptr(arg)), 0n, 0n, 0n),
      );
      if (count < 0) return undefined;
      for (let i = 0; i < count; i += 1)
        found.push({
          from: Number(regions[3 * i]! / size),
          to: Number(regions[3 * i + 1]! / size),
        });
      if (arg[4]! <= start) return undefined;
      start = arg[4]!;
    }
  }
  return found;
}

/** Bits of an entry of pagemap: of a page of a file, swapped, present. */
const FILE = 1 << 29;
const HERE = (1 << 30) | (1 << 31);
/** Entries of more pages (64 GiB) are not gone through. */
const MOST = 1 << 24;

/** Before Linux 6.7: an entry for each page. Untouched pages that were read are among them. */
export function entries(pagemap: number, within: readonly PageRange[]): PageRange[] | undefined {
  if (within.reduce((sum, { from, to }) => sum + to - from, 0) > MOST) return undefined;
  const found: PageRange[] = [];
  const space = new Uint32Array(2 * 32768);
  for (const { from, to } of within)
    for (let page = from; page < to;) {
      const wanted = 8 * Math.min(to - page, space.length / 2);
      let got = 0;
      try {
        got = readSync(pagemap, space, 0, wanted, page * 8) >> 3;
      } catch {
        return undefined;
      }
      if (got === 0) return undefined;
      for (let i = 0; i < got; i += 1) {
        const high = space[2 * i + 1]!;
        if ((high & HERE) === 0 || (high & FILE) !== 0) continue;
        const last = found.at(-1);
        if (last?.to === page + i) last.to += 1;
        else found.push({ from: page + i, to: page + i + 1 });
      }
      page += got;
    }
  return found;
}

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** The pages of a file between two that are no holes; undefined when its file system does not tell. lseek(2). */
export function dataPages(fd: number, { from, to }: PageRange): PageRange[] | undefined {
  const ENXIO = 6;
  const size = pageSize();
  const found: PageRange[] = [];
  for (let at = from; at < to;) {
    const data = call((c) => c.lseek(fd, at * size, SEEK_DATA));
    if (data === -ENXIO) break;
    const hole = data < 0 ? data : call((c) => c.lseek(fd, data, SEEK_HOLE));
    if (hole < 0) return undefined;
    const first = Math.floor(data / size);
    at = Math.ceil(hole / size);
    if (first < to) found.push({ from: first, to: Math.min(at, to) });
  }
  return found;
}
