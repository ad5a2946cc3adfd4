/** Where bytes stand in a task's saved memory. Page data is read as a stream, page map after page map. */
import type { Checkpoint } from "../image/index.ts";
import { MemoryBytes } from "../image/memory-bytes.ts";
import { tidying } from "../sys/garbage.ts";

/** Bytes that are read at once. */
const PIECE = 1 << 20;

interface Searched {
  /** Addresses of the first `most`. */
  readonly found: readonly number[];
  /** All of them. */
  readonly count: number;
  /** Bytes that were searched, and that could not be read. */
  readonly searched: number;
  readonly unread: number;
}

/** Also where it goes from one piece into the next. */
export function search(
  checkpoint: Checkpoint,
  pid: number,
  wanted: Buffer,
  most: number,
): Searched {
  using memory = new MemoryBytes(checkpoint, `pagemap-${pid}.img`);
  const tidy = tidying();
  const found: number[] = [];
  let [count, searched, unread] = [0, 0, 0];
  /** The end of what was read before, and where it ends. */
  let before = { bytes: Buffer.alloc(0), end: -1 };
  for (const { from, bytes } of memory.runs)
    for (let at = from; at < from + bytes; at += PIECE) {
      tidy();
      const length = Math.min(PIECE, from + bytes - at);
      const piece = memory.at(at, length);
      if (piece === undefined) {
        unread += length;
        continue;
      }
      searched += length;
      const head = before.end === at ? before.bytes : Buffer.alloc(0);
      const text = Buffer.concat([head, piece]);
      for (let here = text.indexOf(wanted); here >= 0; here = text.indexOf(wanted, here + 1)) {
        count += 1;
        if (found.length < most) found.push(at - head.length + here);
      }
      before = {
        bytes: text.subarray(Math.max(0, text.length - wanted.length + 1)),
        end: at + length,
      };
    }
  return { found, count, searched, unread };
}
