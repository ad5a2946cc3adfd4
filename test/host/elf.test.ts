/** Programs and libraries: segments, interpreter, build-id; of what is none nothing is read. */
import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interpreterOf, librariesOf, readBuildId, segmentsOf } from "../../src/host/elf.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-elf-"));
afterAll(() => rmSync(dir, { recursive: true }));

const PT_NOTE = 4;
const BUILD_ID = 3;

interface Note {
  type: number;
  name?: string;
  bytes: Uint8Array;
  size?: number;
}

/** An ELF of 64 bits with one segment of notes. */
function elf(notes: readonly Note[], change: (bytes: Buffer) => void = () => {}): string {
  const packed = notes.map(({ type, name = "GNU\0", bytes, size = bytes.length }) => {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(name.length, 0);
    head.writeUInt32LE(size, 4);
    head.writeUInt32LE(type, 8);
    return Buffer.concat([
      head,
      Buffer.from(name),
      bytes,
      Buffer.alloc((4 - (bytes.length % 4)) % 4),
    ]);
  });
  const body = Buffer.concat(packed);
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 2;
  header[5] = 1;
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  const segment = Buffer.alloc(56);
  segment.writeUInt32LE(PT_NOTE, 0);
  segment.writeBigUInt64LE(120n, 8);
  segment.writeBigUInt64LE(BigInt(body.length), 32);
  const bytes = Buffer.concat([header, segment, body]);
  change(bytes);
  const path = join(dir, "file");
  writeFileSync(path, bytes);
  return path;
}
const idOf = (path: string) => {
  const id = readBuildId(openSync(path, "r"));
  return id && Buffer.from(id).toString("hex");
};
const id = { type: BUILD_ID, bytes: Buffer.from("abcdef12", "hex") };

test("the build-id, whatever other notes are before it", () => {
  expect(idOf(elf([id]))).toBe("abcdef12");
  expect(idOf(elf([{ type: 1, bytes: Buffer.alloc(16, 7) }, id]))).toBe("abcdef12");
  expect(idOf(elf([{ type: 1, bytes: Buffer.alloc(16) }]))).toBeUndefined();
  expect(idOf(elf([{ ...id, size: 500 }]))).toBeUndefined();
});

test("what is no ELF, no file, or of another kind has none", () => {
  for (const at of [0, 5]) expect(idOf(elf([id], (bytes) => (bytes[at] = 9)))).toBeUndefined();
  expect(idOf(elf([id], (bytes) => void bytes.writeUInt16LE(55, 54)))).toBeUndefined();
  expect(idOf(dir)).toBeUndefined();
  // A device, or a FIFO, would be waited for.
  const fifo = join(dir, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  const device = openSync(fifo, "r+");
  expect(segmentsOf(device)).toBeUndefined();
  closeSync(device);
});

test("the loader that a program asks for", () => {
  const fd = openSync(process.execPath, "r");
  expect(interpreterOf(fd)).toMatch(/^\/.*ld/);
  expect(segmentsOf(fd)!.length).toBeGreaterThan(3);
  closeSync(fd);
});

test("the libraries that a program asks for; of what is none, or has its names outside of it, there are none", () => {
  const of = (path: string) => {
    const fd = openSync(path, "r");
    try {
      return librariesOf(fd);
    } finally {
      closeSync(fd);
    }
  };
  expect(of("/bin/sh").some((name) => /^libc\.|^libc\.musl|^ld-/.test(name))).toBe(true);
  const cut = join(dir, "cut");
  const bytes = readFileSync("/bin/sh");
  writeFileSync(cut, bytes.subarray(0, 4096));
  expect(of(cut)).toEqual([]);
  writeFileSync(cut, "no program");
  expect(of(cut)).toEqual([]);
});
