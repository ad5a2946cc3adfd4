import { runsOf, sumPagemap } from "../../src/image/pagemap.ts";
import { pageSize } from "../../src/sys/process.ts";
import { fdinfo_entry } from "../../src/image/tables/files.ts";
import { pagemap_entry } from "../../src/image/tables/memory.ts";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "../../src/image/index.ts";
import { MemoryBytes } from "../../src/image/memory-bytes.ts";

import { fixture, image } from "./fixture.ts";

const size = pageSize();
const [PARENT, PRESENT, ALIGNED] = [1, 4, 8];
const entry = (page: number, nr_pages: number, flags: number, block_sizes?: number[]) => ({
  vaddr: BigInt(page * size),
  compat_nr_pages: 0,
  nr_pages: BigInt(nr_pages),
  flags,
  ...(block_sizes && {
    blocks: { block_sizes, total_payload_size: 0n, pages_per_block: 1 },
  }),
});

test("where packed pages are: block behind block, whole ones from the next page on where they are aligned", () => {
  const entries = [
    entry(1, 2, PRESENT, [100, 0]),
    entry(3, 5, PARENT),
    entry(9, 1, PRESENT | ALIGNED),
    entry(10, 2, PRESENT, [size, 7]),
  ];
  expect([...runsOf(entries)].map(({ offset, bytes, packed }) => [offset, bytes, packed])).toEqual([
    [0, 100, true],
    [100, 0, false],
    [size, size, false],
    [2 * size, size + 7, true],
  ]);
  expect(sumPagemap(entries)).toMatchObject({
    present: 5,
    stored: 3 * size + 7,
    parent: true,
  });
});

test("a range is found in a page map as by going through all of it", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-pagemap-"));
  try {
    const held = [1, 4, 5, 9, 30].map((page, at) => entry(page, [2, 1, 3, 8, 1][at]!, PRESENT));
    const images = {
      ...fixture(),
      "pagemap-10.img": image("pagemap-10.img", [{ pages_id: 1 }, ...held]),
    };
    for (const [file, bytes] of Object.entries(images)) writeFileSync(join(dir, file), bytes);
    const opened = openCheckpoint(dir);
    if (!opened.ok) throw new Error(opened.fault.problem);
    const { checkpoint } = opened;
    using memory = new MemoryBytes(checkpoint, "pagemap-10.img");
    const has = (page: number) =>
      checkpoint
        .runs("pagemap-10.img")
        .some((run) => run.page <= page && page < run.page + run.pages);
    for (let first = 0; first < 34; first += 1)
      for (let end = first + 1; end < 34; end += 1) {
        const pages = Array.from({ length: end - first }, (_, at) => first + at).filter(has).length;
        const found = [
          checkpoint.holdsPages("pagemap-10.img", first, end),
          memory.saved(first * size + 1, end * size),
        ];
        const begun = has(first) ? 1 : 0;
        expect([first, end, ...found]).toEqual([first, end, pages > 0, pages * size - begun]);
      }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("page maps with the same runs behind other heads are one list; of those where a byte differs each is its own", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-pagemap-"));
  try {
    const runs = [1, 4, 5, 9].map((page) => entry(page, 1, PRESENT));
    const name = (number: number) => `pagemap-shmem-${number}.img` as const;
    const maps = [
      [{ pages_id: 1 }, ...runs],
      [{ pages_id: 2 }, ...runs],
      [{ pages_id: 2 }, ...runs.slice(0, 3), entry(8, 1, PRESENT)],
      [{ pages_id: 2 }, entry(0, 1, PRESENT), ...runs.slice(1)],
      [{ pages_id: 2 }, ...runs.slice(0, 3)],
      [{ pages_id: 2 }],
    ];
    const images = { ...fixture() };
    for (const [number, map] of maps.entries()) images[name(number)] = image(name(number), map);
    for (const [file, bytes] of Object.entries(images)) writeFileSync(join(dir, file), bytes);
    const opened = openCheckpoint(dir);
    if (!opened.ok) throw new Error(opened.fault.problem);
    const { checkpoint } = opened;
    const lists = maps.map((_, number) => checkpoint.values(name(number), pagemap_entry));
    expect(lists.map((list) => list.map(({ vaddr }) => Number(vaddr) / size))).toEqual([
      [1, 4, 5, 9],
      [1, 4, 5, 9],
      [1, 4, 5, 8],
      [0, 4, 5, 9],
      [1, 4, 5],
      [],
    ]);
    expect(lists[1]).toBe(lists[0]!);
    expect(new Set(lists).size).toBe(maps.length - 1);
    const sums = maps.map((_, number) => checkpoint.pagemaps.get(name(number)));
    expect(sums.map((sum) => [sum?.pagesId, sum?.present])).toEqual([
      [1, 4],
      [2, 4],
      [2, 4],
      [2, 4],
      [2, 3],
      [2, 0],
    ]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("images with tens of thousands of the same entries are read again as they were", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-pagemap-"));
  try {
    const many = Array.from({ length: 80_000 }, () => ({ id: 1, flags: 0, type: 1, fd: 3 }));
    const bytes = image("fdinfo-8.img", many);
    expect(bytes.length).toBeLessThan(1 << 20);
    for (const [file, all] of Object.entries(fixture())) writeFileSync(join(dir, file), all);
    for (const number of [8, 9]) writeFileSync(join(dir, `fdinfo-${number}.img`), bytes);
    const opened = openCheckpoint(dir);
    if (!opened.ok) throw new Error(opened.fault.problem);
    for (const number of [8, 9] as const)
      expect(opened.checkpoint.values(`fdinfo-${number}.img`, fdinfo_entry).length).toBe(80_000);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
