import { runsOf, sumPagemap } from "../../src/image/pagemap.ts";
import { pageSize } from "../../src/sys/process.ts";
import { expect, test } from "bun:test";

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
  expect(runsOf(entries).map(({ offset, bytes, packed }) => [offset, bytes, packed])).toEqual([
    [0, 100, true],
    [100, 0, false],
    [size, size, false],
    [2 * size, size + 7, true],
  ]);
  expect(sumPagemap(1, entries)).toMatchObject({
    present: 5,
    stored: 3 * size + 7,
    parent: true,
  });
});
