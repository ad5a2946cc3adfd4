/** Bytes in saved memory are found wherever they stand: across what is read at once, and across runs of pages. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Checkpoint, Content } from "../../src/image/index.ts";
import { piecesAt } from "../../src/show/pieces.ts";
import { search } from "../../src/show/search.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-search-"));
afterAll(() => rmSync(dir, { recursive: true }));
const PAGE = 4096;
const word = Buffer.from("needle");

/** Pages 16 to 528 lie behind each other in one image, 529 in another, 600 in none that is there. */
const file = join(dir, "pages-1.img");
const other = join(dir, "pages-2.img");
const memory = Buffer.alloc(513 * PAGE);
word.copy(memory, 0);
word.copy(memory, (1 << 20) - 3);
word.copy(memory, memory.length - 2, 0, 2);
const next = Buffer.alloc(PAGE);
word.copy(next, 0, 2);
writeFileSync(file, memory);
writeFileSync(other, next);
const content = (page: number, pages: number, image: string): Content => ({
  page,
  pages,
  file: image,
  offset: 0,
  packed: false,
});
const checkpoint = {
  pageSize: PAGE,
  contents: () => [
    content(16, 513, file),
    content(529, 1, other),
    content(600, 2, join(dir, "pages-3.img")),
    { ...content(700, 1, file), packed: true },
  ],
} as Partial<Checkpoint> as Checkpoint;

test("search: at both ends, over the end of a piece, over the end of an image; what cannot be read is counted", () => {
  const start = 16 * PAGE;
  expect(search(checkpoint, 1, word, 10)).toEqual({
    found: [start, start + (1 << 20) - 3, 529 * PAGE - 2],
    count: 3,
    searched: 514 * PAGE,
    unread: 3 * PAGE,
  });
  expect(search(checkpoint, 1, word, 1)).toMatchObject({ found: [start], count: 3 });
});

test("pieces: what is there, and what is not", () => {
  const pieces = piecesAt(checkpoint, 1, 529 * PAGE - 2, PAGE + 100);
  expect(
    pieces.map(({ from, length, bytes }) => [from, length, bytes?.toString("latin1", 0, 6)]),
  ).toEqual([
    [529 * PAGE - 2, PAGE + 2, "needle"],
    [530 * PAGE, 98, undefined],
  ]);
});
