/** CRIU's statistics of a dump. They stand beside the images where the dump's work directory was theirs, too, and no restore needs them. */
import { closeSync, readSync } from "node:fs";
import { statisticsFormat } from "../image/formats.ts";
import { readFrames } from "../image/frame.ts";
import type { stats_entry } from "../image/tables/inventory.ts";
import type { Infer } from "../image/schema.ts";
import { join } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";

/** Times in microseconds. */
export interface ShownStatistics {
  readonly freezing: number;
  /** How long the tree stood still. */
  readonly frozen: number;
  readonly memory_dump: number;
  readonly memory_write: number;
  readonly pages_scanned: number;
  readonly pages_written: number;
}

const FILE = "stats-dump";
/** A real one has some sixty bytes. */
const LARGEST = 1 << 16;

/** null: they are not there, or are none. */
export function statisticsOf(dir: string): ShownStatistics | null {
  const opened = openRegular(join(dir, FILE));
  if (!opened.ok) return null;
  const bytes = Buffer.alloc(LARGEST);
  let size = 0;
  try {
    size = readSync(opened.fd, bytes, 0, LARGEST, 0);
  } catch {
    return null;
  } finally {
    closeSync(opened.fd);
  }
  const read = (offset: number, length: number) =>
    bytes.subarray(Math.min(offset, size), Math.min(offset + length, size));
  const framed = readFrames({ file: FILE, path: FILE, size, read }, statisticsFormat, 2);
  const { dump } = ((framed.ok && framed.entries[0]?.value) || {}) as Partial<
    Infer<typeof stats_entry>
  >;
  if (dump === undefined) return null;
  return {
    freezing: dump.freezing_time,
    frozen: dump.frozen_time,
    memory_dump: dump.memdump_time,
    memory_write: dump.memwrite_time,
    pages_scanned: Number(dump.pages_scanned),
    pages_written: Number(dump.pages_written),
  };
}
