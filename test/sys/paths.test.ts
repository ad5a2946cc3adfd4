/** What is asked of the kernel without node:fs is what node:fs says. */
import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENOENT, ENOTDIR } from "../../src/sys/errno.ts";
import { handleInRoot, openDirectory } from "../../src/sys/files.ts";
import { AT_FDCWD } from "../../src/sys/linux.ts";
import { bytesAt, namesAt } from "../../src/sys/small-files.ts";
import { statOf } from "../../src/sys/stat.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-paths-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("stat: a file, a link to it, a directory, a device, nothing", () => {
  const file = join(dir, "file");
  writeFileSync(file, "seven..");
  symlinkSync("file", join(dir, "link"));
  for (const path of [file, join(dir, "link"), dir, "/dev/null"]) {
    const { dev, ino, size, blocks } = statSync(path, { bigint: true });
    const regular = statSync(path).isFile();
    const stored = Number(blocks) * 512;
    expect(statOf(path)).toEqual({ dev, ino, size: Number(size), stored, regular });
  }
  expect(statOf(join(dir, "nothing"))).toBe(-ENOENT);
  expect(statOf(join(file, "below"))).toBe(-ENOTDIR);
});

test("bytes as they are, whatever the length; the error where there are none", () => {
  const bytes = crypto.getRandomValues(Buffer.alloc(60_000));
  for (const length of [0, 1, 60_000, 65_536, 300_000]) {
    const wanted = Buffer.concat(Array.from({ length: 5 }, () => bytes)).subarray(0, length);
    writeFileSync(join(dir, "bytes"), wanted);
    expect(bytesAt(AT_FDCWD, join(dir, "bytes"))).toEqual(wanted);
  }
  expect(bytesAt(AT_FDCWD, join(dir, "nothing"))).toBe(-ENOENT);
});

test("names of more entries than are read at once", () => {
  const many = join(dir, "many");
  mkdirSync(many);
  expect(namesAt(AT_FDCWD, many)).toEqual([]);
  for (let i = 0; i < 5000; i += 1) writeFileSync(join(many, `${i}-${"n".repeat(i % 100)}`), "");
  expect(namesAt(AT_FDCWD, many)!.sort()).toEqual(readdirSync(many).sort());
  expect(namesAt(AT_FDCWD, join(dir, "bytes"))).toBeUndefined();
});

test("a path with `..` in a root, while others rename what they like", async () => {
  // In memory a rename is quick, and the longer the path is, the more of them fall into it.
  const busy = mkdtempSync("/dev/shm/recriu-paths-");
  mkdirSync(join(busy, "one/two"), { recursive: true });
  writeFileSync(join(busy, "a"), "");
  const moves = `import os\nwhile True: os.rename("${busy}/a", "${busy}/b"); os.rename("${busy}/b", "${busy}/a")`;
  const renaming = Bun.spawn(["python3", "-c", moves], { stderr: "ignore" });
  const root = openDirectory(busy);
  const path = `one/${"two/../".repeat(500)}two`;
  const failed: number[] = [];
  for (const end = performance.now() + 3000; performance.now() < end;) {
    const fd = handleInRoot(root, path);
    if (fd < 0) failed.push(fd);
    else closeSync(fd);
  }
  closeSync(root);
  renaming.kill();
  await renaming.exited;
  rmSync(busy, { recursive: true });
  expect(failed).toEqual([]);
});
