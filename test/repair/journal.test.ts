/** Journals that no recriu wrote, or not to the end: said, set aside, and in no restore's way. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dropLeftShadows } from "../../src/repair/changes.ts";
import { lockExclusive } from "../../src/sys/files.ts";
import { recriuBinary } from "../built.ts";

let base: string;
let state: string;

/**
 * As a user who is not root: then the state directory is one of his own, and no other test's journals are in it.
 * Everything is below `base`, which is his.
 */
const USER = 1000;
const as = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-journal-")));
  chmodSync(base, 0o755);
  chownSync(base, USER, USER);
  state = join(base, "recriu");
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, USER, USER);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function undo(): { exit: number; stderr: string; undone: any[] } {
  const env = { ...process.env, XDG_RUNTIME_DIR: base, NO_COLOR: "1" };
  const run = (...words: string[]) =>
    Bun.spawnSync([...as, recriuBinary, "undo", ...words], { env, timeout: 10_000 });
  const told = run("--json");
  return {
    exit: told.exitCode,
    stderr: told.stderr.toString(),
    undone: JSON.parse(told.stdout.toString() || "{}").undone,
  };
}

const HEAD = { images: "/images", pid: 1 };
const lines = (...values: unknown[]) =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");

function journal(bytes: string | Uint8Array, name = "1-1.journal"): string {
  const file = join(state, name);
  writeFileSync(file, bytes, { mode: 0o600 });
  chownSync(file, USER, USER);
  return file;
}

/** A directory as a killed recriu leaves it, and the step that it wrote down. */
function leftDirectory(): { path: string; step: object } {
  const path = join(base, "made");
  mkdirSync(path);
  chownSync(path, USER, USER);
  const of = (at: string) => {
    const [dev, ino] = Bun.spawnSync(["stat", "-c", "%d %i", at])
      .stdout.toString()
      .trim()
      .split(" ");
    return `${dev}:${ino}`;
  };
  return {
    path,
    step: { action: "mkdir", root: "/", path, parent: of(base), inode: of(path) },
  };
}

const bad: Record<string, [unknown: string | Uint8Array, problem: string]> = {
  nothing: ["", "line 1: it is no JSON"],
  zeros: [new Uint8Array(4096), "line 1: it is no JSON"],
  null: ["null\n", "line 1: it is no object"],
  "a number": ["1\n", "line 1: it is no object"],
  "a list": ["[]\n", "line 1: it is no object"],
  "no images": ["{}\n", "line 1: it names no images"],
  "a torn line": [`${lines(HEAD)}{"action":"mk`, "line 2: it is no JSON"],
  "null in the place of a step": [lines(HEAD, null), "line 2: it is no object"],
  "an action that there is not": [
    lines(HEAD, { action: "rm", root: "/", path: "/a" }),
    "line 2: its action",
  ],
  "a method for an action": [
    lines(HEAD, { action: "toString", root: "/", path: "/a" }),
    "line 2: its action",
  ],
  "a root that is relative": [
    lines(HEAD, { action: "mkdir", root: "a", path: "/a" }),
    "line 2: its root",
  ],
  "a path with a NUL": [
    lines(HEAD, { action: "mkdir", root: "/", path: "/a\0" }),
    "line 2: its path",
  ],
  "a path upwards": [
    lines(HEAD, { action: "mkdir", root: "/", path: "/a/../b" }),
    "line 2: its path",
  ],
  "a shadow elsewhere": [
    lines(HEAD, { action: "shadow", root: "/", path: "a/b", inode: "1:1" }),
    "line 2: its path",
  ],
  "a list for a path": [
    lines(HEAD, { action: "mkdir", root: "/", path: ["/a"] }),
    "line 2: its path",
  ],
  "an inode that is none": [
    lines(HEAD, { action: "mkdir", root: "/", path: "/a", inode: {} }),
    "line 2: its inode",
  ],
  "names that are none": [
    lines(HEAD, { action: "scratch", root: "/", path: "/", existing: "a" }),
    "line 2: its existing",
  ],
  "a pid below 0": [
    lines(HEAD, { action: "tree", root: "/", path: "/", pid: -1 }),
    "line 2: its pid",
  ],
};

for (const [what, [bytes, problem]] of Object.entries(bad))
  test(what, () => {
    const file = journal(bytes);
    const { exit, undone } = undo();
    // What it says from there on was not undone.
    expect(exit).toBe(1);
    expect(undone).toMatchObject([{ journal: file, made: [], left: [] }]);
    expect(undone[0].problem).toStartWith(problem);
    // It is kept for people, and never looked at again.
    expect(existsSync(file)).toBe(false);
    expect(readFileSync(undone[0].aside)).toEqual(Buffer.from(bytes));
    expect(undo().undone).toEqual([]);
  });

test("the steps before a torn line are undone, and of other journals all", () => {
  const { path, step } = leftDirectory();
  journal(`${lines(HEAD, step)}{"ac`);
  expect(undo().undone).toMatchObject([{ made: [path], left: [], images: "/images" }]);
  expect(existsSync(path)).toBe(false);

  const other = leftDirectory();
  journal(lines(HEAD, other.step), "2-2.journal");
  journal("null\n", "0-0.journal");
  mkdirSync(join(state, "3-3.journal"));
  expect(
    undo()
      .undone.map(({ problem }) => problem === null)
      .sort(),
  ).toEqual([false, false, true]);
  expect(existsSync(other.path)).toBe(false);
});

test("undone whole is 0, something left is 1", () => {
  const whole = leftDirectory();
  journal(lines(HEAD, whole.step));
  expect(undo()).toMatchObject({ exit: 0, undone: [{ left: [], problem: null }] });
  const used = leftDirectory();
  journal(lines(HEAD, used.step));
  writeFileSync(join(used.path, "somebody's"), "");
  const { exit, undone } = undo();
  expect(undone).toMatchObject([{ left: [expect.stringContaining(used.path)], problem: null }]);
  expect(exit).toBe(1);
  expect(undo()).toMatchObject({ exit: 0, undone: [] });
});

test("a tree that was noted is told of while it is that process, and no other of its number", () => {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // starttime is the 22nd field, proc_pid_stat(5).
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!;
  const note = (at: string) =>
    journal(
      lines(HEAD, { action: "tree", root: "/", path: "/images", pid: process.pid, started: at }),
    );
  note(`${Number(started) - 1}`);
  expect(undo()).toMatchObject({ exit: 0, undone: [{ left: [] }] });
  note(started);
  const said = `recriu verify -D /images --pid ${process.pid}`;
  expect(undo()).toMatchObject({ exit: 1, undone: [{ left: [expect.stringContaining(said)] }] });
});

test("what is no file, or not this user's alone, is not read", () => {
  const { path, step } = leftDirectory();
  const text = lines(HEAD, step);
  const strange: Record<string, [() => void, string]> = {
    "a.journal": [() => mkdirSync(join(state, "a.journal")), "no regular file"],
    "b.journal": [() => void Bun.spawnSync(["mkfifo", "-m", "666", join(state, "b.journal")]), ""],
    "c.journal": [() => symlinkSync("/proc/self/mem", join(state, "c.journal")), "link"],
    "d.journal": [() => writeFileSync(join(state, "d.journal"), text), "belongs to uid 0"],
    "e.journal": [() => chmodSync(journal(text, "e.journal"), 0o620), "may write to it"],
    "f.journal": [() => linkSync(journal(text, "f.journal"), join(base, "other")), "other names"],
    "g.journal": [
      () => truncateSync(journal(text, "g.journal"), (64 << 20) + 1),
      "larger than any",
    ],
  };
  for (const [setUp] of Object.values(strange)) setUp();
  const { undone, exit } = undo();
  expect(exit).toBe(1);
  expect(undone.length).toBe(7);
  for (const { journal: file, problem } of undone)
    expect(problem).toContain(strange[file.split("/").at(-1)!]![1]);
  expect(existsSync(path)).toBe(true);
  expect(readdirSync(state).filter((name) => name.endsWith(".journal"))).toEqual([]);
});

test("a state directory that others may write to, or that is a link, is not believed", () => {
  const { path, step } = leftDirectory();
  journal(lines(HEAD, step));
  chmodSync(state, 0o770);
  expect(undo().undone).toMatchObject([
    { problem: `${state}: others than its owner may write to it` },
  ]);
  chmodSync(state, 0o700);
  chownSync(state, 0, 0);
  expect(undo().undone).toMatchObject([{ problem: `${state}: it belongs to uid 0` }]);
  rmSync(state, { recursive: true });
  symlinkSync("/run", state);
  expect(undo().undone).toMatchObject([{ problem: `${state}: it is a link, or no directory` }]);
  expect(existsSync(path)).toBe(true);
});

test("a journal that never got its name goes, unless its writer may live", () => {
  const old = new Date(Date.now() - 3_600_000);
  const [stale, young, locked] = ["1-1", "2-2", "3-3"].map((name) =>
    journal("", `${name}.journal.new`),
  );
  utimesSync(stale!, old, old);
  utimesSync(locked!, old, old);
  const fd = openSync(locked!, "r");
  expect(lockExclusive(fd)).toBe(0);
  expect(undo().undone).toEqual([]);
  closeSync(fd);
  expect([stale, young, locked].map((file) => existsSync(file!))).toEqual([false, true, true]);
});

test("no journal keeps a restore from what it needs", () => {
  const before = process.env.XDG_RUNTIME_DIR;
  process.env.XDG_RUNTIME_DIR = base;
  try {
    for (const [bytes] of Object.values(bad)) {
      journal(bytes);
      process.seteuid!(USER);
      dropLeftShadows();
      process.seteuid!(0);
    }
  } finally {
    process.seteuid!(0);
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  }
});
