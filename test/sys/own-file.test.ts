/** Files that are written where the caller said: not where a user of the machine has led them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendToOwnFile, openOwnFile, replaceFile, safePlace } from "../../src/sys/own-file.ts";

const ALICE = 1000;
let base: string;
let hers: string;
let victim: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-own-")));
  hers = join(base, "hers");
  victim = join(base, "victim");
  mkdirSync(hers);
  chownSync(hers, ALICE, ALICE);
  mkdirSync(victim);
  writeFileSync(join(victim, "file"), "kept");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const link = (target: string, path: string, uid: number) => {
  symlinkSync(target, path);
  lchownSync(path, uid, uid);
};
const untouched = () => {
  expect(readdirSync(victim)).toEqual(["file"]);
  expect(readFileSync(join(victim, "file"), "utf8")).toBe("kept");
};

test("a log is made, and added to", () => {
  const log = join(hers, "log");
  expect(openOwnFile(log)).toMatchObject({
    ok: false,
    problem: `${log}: No such file or directory`,
  });
  for (const text of ["a", "b"]) expect(appendToOwnFile(log, text, 0o640)).toBe(true);
  expect(readFileSync(log, "utf8")).toBe("ab");
  expect(statSync(log).mode & 0o777).toBe(0o640);
  // Through a link that only root can have made.
  link("hers", join(base, "link"), 0);
  expect(appendToOwnFile(join(base, "link/log"), "c", 0o600)).toBe(true);
  link("hers/log", join(base, "log"), 0);
  expect(appendToOwnFile(join(base, "log"), "d", 0o600)).toBe(true);
  expect(readFileSync(log, "utf8")).toBe("abcd");
});

const planted: Record<string, () => void> = {
  "a link": () => link(join(victim, "file"), join(hers, "log"), ALICE),
  "a link of root's, in her directory": () => link(join(victim, "file"), join(hers, "log"), 0),
  "a link to nothing": () => link(join(victim, "new"), join(hers, "log"), ALICE),
  "another name of a file": () => linkSync(join(victim, "file"), join(hers, "log")),
  "a FIFO": () => void Bun.spawnSync(["mkfifo", join(hers, "log")]),
  "a directory": () => mkdirSync(join(hers, "log")),
  "a link on the way": () => {
    rmSync(hers, { recursive: true });
    link(victim, hers, ALICE);
  },
};
for (const [what, setUp] of Object.entries(planted))
  test(`in a log's place: ${what}`, () => {
    setUp();
    const log = join(hers, what === "a link on the way" ? "file" : "log");
    expect(openOwnFile(log, 0o600).ok).toBe(false);
    expect(openOwnFile(log).ok).toBe(false);
    expect(appendToOwnFile(log, "text", 0o600)).toBe(false);
    untouched();
  });

test("a file is replaced at once, and a link in its place with it", () => {
  const path = join(hers, "manifest");
  link(join(victim, "file"), path, ALICE);
  replaceFile(path, 0o600, (fd) => void writeSync(fd, "new"));
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  // When it cannot be filled the old one stays, and nothing else does.
  const fails = () => {
    throw new Error("a full disk");
  };
  expect(() => replaceFile(path, 0o600, fails)).toThrow("a full disk");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(hers)).toEqual(["manifest"]);
  untouched();
});

test("a directory that becomes a link while a file of it is written", () => {
  replaceFile(join(hers, "manifest"), 0o600, (fd) => {
    Bun.spawnSync(["mv", hers, `${hers}.aside`]);
    link(victim, hers, ALICE);
    writeSync(fd, "new");
  });
  expect(readFileSync(`${hers}.aside/manifest`, "utf8")).toBe("new");
  expect(() => replaceFile(join(hers, "manifest"), 0o600, () => {})).toThrow("a link of uid 1000");
  expect(readlinkSync(hers)).toBe(victim);
  untouched();
});

test("directories of its own are made where nobody can exchange them", () => {
  const sticky = join(base, "sticky");
  const open = join(base, "open");
  mkdirSync(sticky);
  chmodSync(sticky, 0o1777);
  mkdirSync(open);
  chmodSync(open, 0o777);
  link(victim, join(hers, "tmp"), ALICE);
  expect(safePlace([hers, join(hers, "tmp"), open, join(base, "none"), sticky])).toBe(sticky);
  expect(() => safePlace([hers, open])).toThrow(/belongs to uid 1000; .*by others/);
});

test("a device, a directory or a name of a descriptor stays what it is: other programs need it", () => {
  const [descriptor, directory] = [join(base, "stdout"), join(base, "directory")];
  symlinkSync("/proc/self/fd/1", descriptor);
  mkdirSync(directory);
  const never = () => expect.unreachable();
  expect(() => replaceFile(descriptor, 0o600, never)).toThrow("a name of a descriptor");
  expect(() => replaceFile(directory, 0o600, never)).toThrow("no regular file");
  expect(() => replaceFile("/dev/null", 0o600, never)).toThrow("no regular file");
  expect(lstatSync(descriptor).isSymbolicLink()).toBe(true);
});
