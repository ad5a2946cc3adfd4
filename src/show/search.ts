/** Where bytes stand in a task's saved memory. Page data is read as a stream, page map after page map. */
import type { Checkpoint } from "../image/index.ts";
import { MemoryBytes } from "../image/memory-bytes.ts";

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
  const found: number[] = [];
  let [count, searched, unread] = [0, 0, 0];
  /** What is read, behind the end of what was read before; and up to which address that is. */
  const space = Buffer.alloc(wanted.length - 1 + PIECE);
  let [kept, end] = [0, -1];
  for (const { from, bytes } of memory.runs())
    for (let at = from; at < from + bytes; at += PIECE) {
      if (at !== end) kept = 0;
      const length = Math.min(PIECE, from + bytes - at);
      if (!memory.read(space.subarray(kept, kept + length), at)) {
        unread += length;
        continue;
      }
      searched += length;
      const text = space.subarray(0, kept + length);
      for (let here = text.indexOf(wanted); here >= 0; here = text.indexOf(wanted, here + 1)) {
        count += 1;
        if (found.length < most) found.push(at - kept + here);
      }
      end = at + length;
      kept = Math.min(text.length, wanted.length - 1);
      space.copyWithin(0, text.length - kept, text.length);
    }
  return { found, count, searched, unread };
}
