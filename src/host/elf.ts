/** Programs and libraries, elf(5): their segments, and what linkers wrote into them. */
import { closeSync, fstatSync, readSync } from "node:fs";
import { PATH_MAX } from "../sys/linux.ts";

export const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
export const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
/** CRIU looks no further into a file for its build-id. */
const LOOKED_AT = 1 << 20;

/** A program header. Bytes; `at` is where it stands in the file itself. */
interface Segment {
  readonly at: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/**
 * The program headers of an open file in their order; undefined when it is no little-endian ELF of 32 or 64 bits, or they
 * stand behind its first MiB. Throws what read(2) says.
 */
export function segmentsOf(fd: number): Segment[] | undefined {
  if (!fstatSync(fd).isFile()) return undefined;
  const head = readAt(fd, 0, 64);
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[5] !== 1) return undefined;
  const wide = head[4] === 2;
  const table = wide ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
  const size = head.readUInt16LE(wide ? 54 : 42);
  const count = head.readUInt16LE(wide ? 56 : 44);
  if (size !== (wide ? 56 : 32) || table + size * count > LOOKED_AT) return undefined;
  const headers = readAt(fd, table, size * count);
  return Array.from({ length: Math.floor(headers.length / size) }, (_, index) => {
    const start = index * size;
    const word = (wideAt: number, narrowAt: number) =>
      wide
        ? Number(headers.readBigUInt64LE(start + wideAt))
        : headers.readUInt32LE(start + narrowAt);
    return {
      at: table + start,
      type: headers.readUInt32LE(start),
      offset: word(8, 4),
      address: word(16, 8),
      fileSize: word(32, 16),
      memorySize: word(40, 20),
    };
  });
}

/** The loader that a program asks for; undefined when it is no ELF, or static. */
export function interpreterOf(fd: number): string | undefined {
  const segment = segmentsOf(fd)?.find(({ type }) => type === PT_INTERP);
  if (segment === undefined) return undefined;
  const length = Math.min(segment.fileSize, PATH_MAX);
  return readAt(fd, segment.offset, length).toString().replace(/\0.*$/s, "");
}

/** Names of the libraries that a 64-bit program asks for; none when it is no ELF, or static. Throws what read(2) says. */
export function librariesOf(fd: number): string[] {
  const segments = segmentsOf(fd) ?? [];
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const entries = readAt(fd, dynamic.offset, Math.min(dynamic.fileSize, LOOKED_AT));
  const values = (wanted: bigint): number[] => {
    const found: number[] = [];
    for (let at = 0; at + 16 <= entries.length; at += 16)
      if (entries.readBigUInt64LE(at) === wanted)
        found.push(Number(entries.readBigUInt64LE(at + 8)));
    return found;
  };
  const [address = 0] = values(DT_STRTAB);
  const [size = 0] = values(DT_STRSZ);
  const holding = segments.find(
    ({ type, address: from, fileSize }) =>
      type === PT_LOAD && from <= address && address + size <= from + fileSize,
  );
  if (holding === undefined) return [];
  const names = readAt(fd, holding.offset + address - holding.address, Math.min(size, LOOKED_AT));
  return values(DT_NEEDED).map((at) => names.toString("latin1", at, names.indexOf(0, at)));
}

/** The build-id of an open file, which is closed; undefined when it has none that CRIU would find (files-reg.c). */
export function readBuildId(fd: number): Uint8Array | undefined {
  try {
    for (const { type, offset, fileSize } of segmentsOf(fd) ?? []) {
      if (type !== PT_NOTE || offset + fileSize > LOOKED_AT) continue;
      const found = findNote(readAt(fd, offset, fileSize));
      if (found !== undefined) return found;
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function findNote(notes: Buffer): Uint8Array | undefined {
  for (let at = 0; at + 12 <= notes.length;) {
    const nameSize = (notes.readUInt32LE(at) + 3) & ~3;
    const size = notes.readUInt32LE(at + 4);
    const start = at + 12 + nameSize;
    if (nameSize < 0 || start + size > notes.length) return undefined;
    if (notes.readUInt32LE(at + 8) === NT_GNU_BUILD_ID)
      return size > 0 && size <= 512 ? notes.subarray(start, start + size) : undefined;
    at = start + ((size + 3) & ~3);
  }
  return undefined;
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
}
