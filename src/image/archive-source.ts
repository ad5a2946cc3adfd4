/** The bytes of an archive, unpacked by gzip or zstd where it is packed: of a file, or of a pipe that is read once. */
import { closeSync, createReadStream, fstatSync, read, readSync } from "node:fs";
import { openRegular } from "../sys/regular.ts";
import type { Source } from "./members.ts";

/** Standard input, where an archive may come from. */
export const STDIN = "/dev/stdin";

/** Bytes that are read at once. */
const PIECE = 1 << 20;
/** The same where all bytes are wanted: so much is still held when the next are read. */
const SMALL_PIECE = 1 << 16;
/** Pieces between two turns of others. */
const TURN = 64;
/** A tar's first header: what tells archives apart stands in it. */
const HEAD = 512;

type Kind = "tar" | "gzip" | "zstd";

export interface OpenSource {
  readonly next: Source;
  close(): void;
}

/** A regular file that begins as an archive does. */
export function openTar(file: string): { fd: number; kind: Kind } | undefined {
  const opened = openRegular(file);
  if (!opened.ok) return undefined;
  const { fd } = opened;
  let kind: Kind | undefined;
  try {
    const head = Buffer.alloc(HEAD);
    readSync(fd, head, 0, HEAD, 0);
    kind = kindOf(head);
  } catch {
    // What cannot be read is no archive.
  }
  if (kind !== undefined) return { fd, kind };
  closeSync(fd);
  return undefined;
}

function kindOf(head: Buffer): Kind | undefined {
  if (head.length < HEAD) return undefined;
  if (head.readUInt16BE(0) === 0x1f8b) return "gzip";
  if (head.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  return head.toString("latin1", 257, 262) === "ustar" ? "tar" : undefined;
}

/** The bytes of such a file; undefined where it is none. */
export async function sourceOf(
  opened: ReturnType<typeof openTar>,
): Promise<OpenSource | undefined> {
  if (opened === undefined) return undefined;
  const { fd, kind } = opened;
  if (kind === "tar") return { next: plain(fd), close: () => closeSync(fd) };
  return unpacked(createReadStream("", { fd, start: 0, highWaterMark: PIECE }), kind);
}

/** The bytes of what is read forward only, from where `fd` stands; undefined where no archive begins there. `fd` stays open. */
export async function streamed(fd: number): Promise<OpenSource | undefined> {
  const parts: Buffer[] = [];
  const more = fstatSync(fd).isFile() ? fromFile(fd) : (into: Buffer) => readOn(fd, into, null);
  /** Bytes of a body are gone when the next are read: as garbage, those of each piece would add up. */
  const shared = Buffer.allocUnsafeSlow(SMALL_PIECE);
  const fresh = () => Buffer.allocUnsafeSlow(SMALL_PIECE);
  for (let length = 0; length < HEAD;) {
    const piece = await more(fresh());
    if (piece.length === 0) break;
    parts.push(piece);
    length += piece.length;
  }
  const head = Buffer.concat(parts);
  const kind = kindOf(head);
  if (kind === undefined) return undefined;
  async function* pieces() {
    yield head;
    for (;;) {
      const piece = await more(fresh());
      if (piece.length === 0) return;
      yield piece;
    }
  }
  if (kind !== "tar") {
    const { Readable } = await import("node:stream");
    return unpacked(Readable.from(pieces()), kind);
  }
  let first: Buffer | undefined = head;
  const next: Source = async (_, within = 0) => {
    const bytes = first ?? (await more(within >= SMALL_PIECE ? shared : fresh()));
    first = undefined;
    return bytes.length > 0 ? bytes : undefined;
  };
  return { next, close: () => undefined };
}

async function unpacked(
  source: NodeJS.ReadableStream & { destroy(): unknown },
  kind: Kind,
): Promise<OpenSource> {
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const unpacker = kind === "gzip" ? createGunzip() : createZstdDecompress();
  source.on("error", (error: Error) => unpacker.destroy(error));
  const pieces = source.pipe(unpacker)[Symbol.asyncIterator]();
  const next = async () => {
    const piece = await pieces.next();
    return piece.done ? undefined : (piece.value as Uint8Array);
  };
  const close = () => {
    unpacker.destroy();
    source.destroy();
  };
  return { next, close };
}

/** What is not asked for is not read: page data can be the size of a machine's memory. */
function plain(fd: number): Source {
  const { size } = fstatSync(fd);
  const blank = Buffer.alloc(PIECE);
  let at = 0;
  return async (unwanted) => {
    if (unwanted > 0) {
      const length = Math.min(unwanted, PIECE, size - at);
      at += length;
      return length > 0 ? blank.subarray(0, length) : undefined;
    }
    const bytes = await readOn(fd, Buffer.allocUnsafeSlow(PIECE), at);
    at += bytes.length;
    return bytes.length > 0 ? bytes : undefined;
  };
}

/** A file has its bytes at once; what waits for a signal gets its turn now and then. */
function fromFile(fd: number): (into: Buffer) => Promise<Buffer> {
  let pieces = 0;
  return async (into) => {
    if (++pieces % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    return into.subarray(0, readSync(fd, into));
  };
}

const readOn = (fd: number, bytes: Buffer, at: number | null): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    read(fd, bytes, 0, bytes.length, at, (error, got) =>
      error ? reject(error) : resolve(bytes.subarray(0, got)),
    );
  });
