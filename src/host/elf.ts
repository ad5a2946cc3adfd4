/** The build-id that a linker wrote into a program or library (elf(5)), read as CRIU reads it (files-reg.c). */
import { closeSync, fstatSync, readSync } from "node:fs";

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
/** CRIU looks no further into a file. */
const LOOKED_AT = 1 << 20;

/** The build-id of an open file, which is closed; undefined when it has none that CRIU would find. */
export function readBuildId(fd: number): Uint8Array | undefined {
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const head = readAt(fd, 0, 64);
    if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[5] !== 1) return undefined;
    const wide = head[4] === 2;
    const table = wide ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
    const size = head.readUInt16LE(wide ? 54 : 42);
    const count = head.readUInt16LE(wide ? 56 : 44);
    if (size !== (wide ? 56 : 32) || table + size * count > LOOKED_AT) return undefined;
    const headers = readAt(fd, table, size * count);
    for (let at = 0; at + size <= headers.length; at += size) {
      if (headers.readUInt32LE(at) !== PT_NOTE) continue;
      const start = wide ? Number(headers.readBigUInt64LE(at + 8)) : headers.readUInt32LE(at + 4);
      const length = wide
        ? Number(headers.readBigUInt64LE(at + 32))
        : headers.readUInt32LE(at + 16);
      if (start + length > LOOKED_AT) continue;
      const found = findNote(readAt(fd, start, length));
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
