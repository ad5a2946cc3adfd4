/** Bytes of a task's saved memory at an address, and which of them the images do not have. */
import type { Checkpoint } from "../image/index.ts";
import { MemoryBytes } from "../image/memory-bytes.ts";

interface Piece {
  readonly from: number;
  readonly length: number;
  /** null: they are not in the images. */
  readonly bytes: Buffer | null;
}

/** In the order of addresses: neighbours that are there, or are not, are one piece. */
export function piecesAt(
  checkpoint: Checkpoint,
  pid: number,
  address: number,
  length: number,
): Piece[] {
  using memory = new MemoryBytes(checkpoint, `pagemap-${pid}.img`);
  const pieces: Piece[] = [];
  const { pageSize } = checkpoint;
  for (let at = address; at < address + length;) {
    const end = Math.min(address + length, at - (at % pageSize) + pageSize);
    const bytes = memory.at(at, end - at) ?? null;
    const last = pieces.at(-1);
    if (last !== undefined && (last.bytes === null) === (bytes === null))
      pieces[pieces.length - 1] = {
        from: last.from,
        length: last.length + (end - at),
        bytes: bytes && Buffer.concat([last.bytes!, bytes]),
      };
    else pieces.push({ from: at, length: end - at, bytes });
    at = end;
  }
  return pieces;
}
