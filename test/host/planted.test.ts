/** What a user has put in the place of a file that is to be written: told by what it is; root's own is not told. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOf, plantedAt } from "../../src/host/paths.ts";

const USER = 1000;
let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-put-"));
  path = join(dir, "log");
});
afterEach(() => rmSync(dir, { recursive: true }));

const kinds: [what: string, put: () => void, said: string | undefined][] = [
  [
    "a link",
    () => (symlinkSync("/etc/passwd", path), lchownSync(path, USER, USER)),
    `a link of uid ${USER} to /etc/passwd`,
  ],
  [
    "a FIFO",
    () => (void Bun.spawnSync(["mkfifo", path]), chownSync(path, USER, USER)),
    `no regular file, of uid ${USER}`,
  ],
  [
    "another file's second name",
    () => {
      writeFileSync(join(dir, "other"), "");
      linkSync(join(dir, "other"), path);
      chownSync(path, USER, USER);
    },
    `a file of uid ${USER} that has other names, too`,
  ],
  ["a file", () => writeFileSync(path, ""), undefined],
  ["nothing", () => {}, undefined],
];

for (const [what, put, said] of kinds)
  test(`${what}: in a directory of a user, in one for all, in root's`, () => {
    put();
    expect(plantedAt(path)).toBeUndefined();
    chmodSync(dir, 0o1777);
    expect(plantedAt(path)).toBe(said);
    chmodSync(dir, 0o755);
    chownSync(dir, USER, USER);
    expect(plantedAt(path)).toBe(said);
  });

test("a link of root's in root's directory, whoever else may write there", () => {
  chmodSync(dir, 0o1777);
  symlinkSync("/etc/passwd", path);
  expect(plantedAt(path)).toBeUndefined();
  chownSync(dir, USER, USER);
  expect(plantedAt(path)).toBe("a link of uid 0 to /etc/passwd");
});

test("bytes of a FIFO are not waited for", () => {
  Bun.spawnSync(["mkfifo", path]);
  const code = `
    const { bytesOf } = await import(${JSON.stringify(join(import.meta.dir, "../../src/host/paths.ts"))});
    console.log(bytesOf(${JSON.stringify(path)}, 0, 4));`;
  const asked = Bun.spawnSync([process.execPath, "-e", code], { timeout: 10_000 });
  expect(asked.exitCode).toBe(0);
  expect(bytesOf("/nothing", 0, 4)).toBeUndefined();
});
