/** One buffer is read into for all small files: what was had from it before stays what it was. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as smallFiles from "../../src/sys/small-files.ts";

const { AT_FDCWD, bytesAt, linkAt, namesAt, readAt } = smallFiles;

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), "recriu-small-"))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("nothing that was read changes when the next file is read, though the buffer has grown meanwhile", () => {
  const at = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const [one, strange] = [at("one", "one"), at("strange", Uint8Array.of(0x61, 0xff))];
  const large = at("large", "x".repeat(200_000));
  symlinkSync("target", join(dir, "link"));
  const read = () => [
    bytesAt(AT_FDCWD, one),
    readAt(AT_FDCWD, one),
    readAt(AT_FDCWD, strange),
    linkAt(AT_FDCWD, join(dir, "link")),
    namesAt(AT_FDCWD, dir)?.toSorted(),
  ];
  const first = read();
  expect(bytesAt(AT_FDCWD, large)).toHaveLength(200_000);
  const second = read();
  expect(readAt(AT_FDCWD, large)).toHaveLength(200_000);
  for (const found of [first, second])
    expect(found).toEqual([
      Buffer.from("one"),
      "one",
      "a\udcff",
      "target",
      ["large", "link", "one", "strange"],
    ]);
});

test("what is read is the caller's own: no byte of it is the buffer's, which nobody else has", () => {
  const file = join(dir, "own");
  writeFileSync(file, "own");
  const [before, after] = [bytesAt(AT_FDCWD, file), bytesAt(AT_FDCWD, file)];
  if (typeof before === "number" || typeof after === "number") throw new Error("not read");
  before.fill(0);
  expect(after.toString()).toBe("own");
  const shared = Object.values(smallFiles).filter((value) => ArrayBuffer.isView(value));
  expect(shared).toEqual([]);
});
