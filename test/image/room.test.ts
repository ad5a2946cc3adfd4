/** Images that are small and would be large in memory: 8 times their size and 64 MiB at the most, whatever they repeat. */
import { recriuBinary } from "../built.ts";
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "../../src/image/index.ts";
import { fixture } from "./fixture.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-room-"));
afterAll(() => rmSync(dir, { recursive: true }));

const SIZE = 4 << 20;
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(message.length);
  return Buffer.concat([length, message]);
};
const many = (unit: Buffer): Buffer => Buffer.alloc(SIZE - (SIZE % unit.length), unit);
const task = hex("0801 1000 1801 2001");

/** What stands in pstree.img behind the magic words. */
const attacks: Record<string, Buffer> = {
  "the same entry": many(framed(task)),
  "entries in turn": many(Buffer.concat([framed(task), framed(hex("0802 1000 1801 2001"))])),
  "unknown fields": framed(Buffer.concat([task, many(hex("7801"))])),
  threads: framed(Buffer.concat([task, many(hex("2801"))])),
  "threads in one field": framed(Buffer.concat([task, hex("2a 80808004"), many(hex("01"))])),
};

/** Peak of the resident memory of `recriu show`, bytes, and its exit code. */
function peak(name: string, files: Record<string, Uint8Array>): { bytes: number; exit: number } {
  const images = join(dir, name.replaceAll(" ", "-"));
  mkdirSync(images);
  for (const [file, bytes] of Object.entries({ ...fixture(), ...files }))
    writeFileSync(join(images, file), bytes);
  const run = Bun.spawnSync([recriuBinary, "show", "--json", "-D", images], {
    stdout: "ignore",
    stderr: "ignore",
  });
  return { bytes: run.resourceUsage.maxRSS, exit: run.exitCode };
}

test("a small checkpoint that is large in memory is refused or stays within its bounds", () => {
  const head = fixture()["pstree.img"]!.subarray(0, 8);
  const base = peak("base", {}).bytes;
  for (const [name, entries] of Object.entries(attacks)) {
    const { bytes, exit } = peak(name, { "pstree.img": Buffer.concat([head, entries]) });
    const within = bytes - base <= 8 * SIZE + (64 << 20);
    expect({ name, within: within || bytes - base, exit }).toEqual({ name, within: true, exit: 6 });
  }
});

test("holes make no room", () => {
  const images = join(dir, "holes");
  mkdirSync(images);
  for (const [file, bytes] of Object.entries(fixture())) writeFileSync(join(images, file), bytes);
  writeFileSync(join(images, "filelocks.img"), hex("1943 5654 1636 3254"));
  truncateSync(join(images, "filelocks.img"), 64 << 20);
  const opened = openCheckpoint(images);
  if (!opened.ok) throw new Error(opened.fault.problem);
  expect(opened.checkpoint.readEverything().map(({ file }) => file)).toContain("filelocks.img");
});
