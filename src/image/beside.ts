/**
 * Files that were taken along, in recriu.files beside the images: each is named by the sha256 of its bytes, and packed by zstd
 * in pieces. Before each piece stands a frame that zstd(1) skips and that has the piece's length, as pzstd writes them: so a
 * file of any size takes the memory of a piece, and `zstd -d` unpacks it. What recriu 0.1 took along is not packed.
 */
import { readSync } from "node:fs";
import { join } from "../sys/path.ts";

export const FILES = "recriu.files";

/** Where a file is that was taken along with the images in `dir`. */
export const besideOf = (
  dir: string,
  { sha256, packed }: { readonly sha256: string; readonly packed?: unknown },
): string => join(dir, FILES, `${sha256}${packed ? PACKED : ""}`);

/** How the name of one ends that is packed. */
export const PACKED = ".zst";
/** What stands in recriu.files, and nothing else does. */
export const BESIDE = /^[0-9a-f]{64}(?:\.zst)?$/;

/** Bytes of a piece before it is packed. */
export const PIECE = 1 << 20;
/** Of one that cannot be made smaller: ZSTD_COMPRESSBOUND. */
const LARGEST = PIECE + (PIECE >> 8) + 64;
/** The frame that is skipped: its magic number, the length of what it has, and that, the length of the piece. */
const SKIPPED = 0x184d2a50;
const HEAD = 12;

// Loaded where something is packed: no start waits for it.
const zlib = () => process.getBuiltinModule("node:zlib");

/** At most PIECE bytes, packed; fast rather than small, as most of the time goes there. */
export function packedPiece(piece: Uint8Array): [head: Buffer, frame: Buffer] {
  const { constants, zstdCompressSync } = zlib();
  const frame = zstdCompressSync(piece, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const head = Buffer.alloc(HEAD);
  for (const [index, word] of [SKIPPED, 4, frame.length].entries())
    head.writeUInt32LE(word, index * 4);
  return [head, frame];
}

/** The bytes of the open file `from` (its path) that was taken along, in pieces. Throws where it is not packed so, or cannot be read. */
export function* piecesOf(fd: number, from: string): Iterable<Uint8Array> {
  const isPacked = from.endsWith(PACKED);
  for (let at = 0; ;) {
    const head = read(fd, at, isPacked ? HEAD : PIECE);
    if (head.length === 0) return;
    at += head.length;
    if (!isPacked) {
      yield head;
      continue;
    }
    const isHead =
      head.length === HEAD && head.readUInt32LE(0) === SKIPPED && head.readUInt32LE(4) === 4;
    const length = isHead ? head.readUInt32LE(8) : 0;
    if (length === 0 || length > LARGEST) throw new Error(DAMAGED);
    yield unpacked(read(fd, at, length));
    at += length;
  }
}

const DAMAGED = "its bytes are not those that were sealed";

function unpacked(frame: Uint8Array): Buffer {
  try {
    return zlib().zstdDecompressSync(frame, { maxOutputLength: PIECE });
  } catch (error) {
    throw new Error(DAMAGED, { cause: error });
  }
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, at));
}
