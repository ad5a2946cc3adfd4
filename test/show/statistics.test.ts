/** CRIU's statistics of a dump, and what somebody has put in their place. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERVICE_MAGIC, statisticsFormat } from "../../src/image/formats.ts";
import { stats_entry } from "../../src/image/tables/inventory.ts";
import { encode } from "../../src/image/wire.ts";
import { statisticsOf } from "../../src/show/statistics.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-statistics-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "stats-dump");

test("times and pages of the dump; null where there are none", () => {
  expect(statisticsOf(dir)).toBeNull();
  const dump = {
    freezing_time: 1,
    frozen_time: 2,
    memdump_time: 3,
    memwrite_time: 4,
    pages_scanned: 50n,
    pages_skipped_parent: 0n,
    pages_written: 40n,
    pages_lazy: 0n,
  };
  const message = encode(stats_entry, { dump });
  const words = new Uint32Array([SERVICE_MAGIC, statisticsFormat.magic, message.length]);
  const bytes = Buffer.concat([new Uint8Array(words.buffer), message]);
  writeFileSync(file, bytes);
  expect(statisticsOf(dir)).toEqual({
    freezing: 1,
    frozen: 2,
    memory_dump: 3,
    memory_write: 4,
    pages_scanned: 50,
    pages_written: 40,
  });
  for (const cut of [0, 3, 8, 12, bytes.length - 1]) {
    writeFileSync(file, bytes.subarray(0, cut));
    expect([cut, statisticsOf(dir)]).toEqual([cut, null]);
  }
  rmSync(file);
  symlinkSync("/dev/zero", file);
  expect(statisticsOf(dir)).toBeNull();
});
