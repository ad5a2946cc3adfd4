/** Kernels without openat2: the steps lead where openat2 leads. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInRoot } from "../../src/sys/files.ts";
import { openStepwise } from "../../src/sys/stepwise.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const O_PATH = 0x200000;
const outer = mkdtempSync(join(tmpdir(), "recriu-stepwise-"));
const root = join(outer, "root");
const at = (path: string) => join(root, path);
let fd: number;

beforeAll(() => {
  mkdirSync(at("a/b/c"), { recursive: true });
  mkdirSync(join(outer, "outside"));
  writeFileSync(join(outer, "outside/secret"), "");
  writeFileSync(at("a/file"), "");
  writeFileSync(Buffer.concat([Buffer.from(at("a/")), Buffer.from([0xff, 0x41])]), "");
  const links = {
    absolute: "/a/b",
    relative: "a/b/../b",
    up: "../../../../outside",
    "a/b/out": "/../outside/secret",
    chain: "absolute/c",
    loop: "loop",
    dangling: "/nowhere",
    "to-file": "a/file",
    slashed: "a/b/",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, at(name));
  for (let n = 0; n <= 45; n++) symlinkSync(n === 0 ? "a" : `link${n - 1}`, at(`link${n}`));
  fd = openSync(root, "r");
});
afterAll(() => {
  closeSync(fd);
  rmSync(outer, { recursive: true });
});

/** What was opened, or the error. */
function opened(open: typeof openInRoot, path: string, flags: number): string {
  const got = open(fd, path, flags);
  if (got < 0) return `errno ${-got}`;
  const { dev, ino } = fstatSync(got);
  closeSync(got);
  return `${dev}:${ino}`;
}

const open = () => readdirSync("/proc/self/fd").length;

test("both open the same, or fail alike, and nothing stays open", () => {
  const paths = [
    "/",
    ".",
    "",
    "a",
    "/a/b/c",
    "a//b/./c",
    "a/b/..",
    "..",
    "../..",
    "/../a",
    "a/../../outside/secret",
  ];
  paths.push(
    "absolute",
    "absolute/c",
    "relative",
    "up",
    "up/secret",
    "a/b/out",
    "chain",
    "chain/..",
    "loop",
    "loop/x",
  );
  paths.push(
    "dangling",
    "dangling/x",
    "to-file",
    "to-file/x",
    "a/file",
    "a/file/",
    "a/file/..",
    "slashed",
    "slashed/c",
  );
  paths.push(
    "nothing",
    "nothing/x",
    "a/\udcffA",
    "link39",
    "link40",
    "link41",
    `a/${"n".repeat(300)}`,
  );
  const before = open();
  for (const path of paths) {
    for (const flags of [
      O_RDONLY,
      O_PATH,
      O_PATH | O_NOFOLLOW,
      O_DIRECTORY,
      O_WRONLY,
      O_NOFOLLOW,
    ]) {
      const [kernel, steps] = [openInRoot, openStepwise].map((each) => opened(each, path, flags));
      expect([path, flags, steps]).toEqual([path, flags, kernel]);
    }
  }
  expect(open()).toBe(before);
});
