/** What becomes of changes that their maker lets go of. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beginChanges, type Changes, stateDirectory } from "../../src/repair/index.ts";
import { makeDirectory } from "../../src/repair/directory.ts";

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-changes-")));
});
afterEach(() => rmSync(base, { recursive: true }));

const made = () => join(base, "made");
const shadows = () => readdirSync(base).filter((name) => name.startsWith(".recriu-"));
/** Journals of this test that are there now. */
const journals = () =>
  readdirSync(stateDirectory()).filter((name) => {
    try {
      return readFileSync(join(stateDirectory(), name), "utf8").includes(base);
    } catch {
      return false; // another test's, which is gone
    }
  });

function begun(): Changes {
  const changes = beginChanges(base);
  const repair = { id: "x", action: "mkdir", root: "/", path: made(), mode: 0o755 } as const;
  expect(makeDirectory({ ...repair, uid: 0, gid: 0 }, changes.record)).toBeUndefined();
  expect(changes.shadowIn([base])).toMatchObject({ ok: true });
  // One is enough.
  expect(changes.shadowIn([base])).toEqual(changes.shadowIn(["/nowhere"]));
  expect([existsSync(made()), shadows().length, journals().length]).toEqual([true, 1, 1]);
  return changes;
}

test("let go of without a word, they are taken back", () => {
  const fails = () => {
    using changes = begun();
    throw new Error(`breaks with ${changes.images}`);
  };
  expect(fails).toThrow("breaks with /proc/");
  expect([existsSync(made()), shadows(), journals()]).toEqual([false, [], []]);
});

test("what is kept stays, without its journal and the shadow", () => {
  {
    using changes = begun();
    changes.keep();
    expect(changes.images).toBeUndefined();
  }
  expect([existsSync(made()), shadows(), journals()]).toEqual([true, [], []]);
});

test("where there may be a tree by now, they and their journal are left to `recriu undo`", () => {
  const changes = begun();
  changes.noteTree(process.pid);
  changes[Symbol.dispose]();
  expect([existsSync(made()), journals().length]).toEqual([true, 1]);
  expect(changes.undo()).toEqual([]);
  expect([existsSync(made()), shadows(), journals()]).toEqual([false, [], []]);
});

test("a directory is written down before it is made, and once more with its inode", () => {
  const seen: [inode: string | undefined, there: boolean][] = [];
  const repair = { id: "x", action: "mkdir", root: "/", path: made(), mode: 0o755 } as const;
  makeDirectory({ ...repair, uid: 0, gid: 0 }, ({ inode }) =>
    seen.push([inode, existsSync(made())]),
  );
  const { dev, ino } = statSync(made());
  expect(seen).toEqual([
    [undefined, false],
    [`${dev}:${ino}`, true],
  ]);
});

test("journals are in a directory and files that nobody but their user can read or write", () => {
  const USER = 1000;
  const before = process.env.XDG_RUNTIME_DIR;
  chownSync(base, USER, USER);
  process.env.XDG_RUNTIME_DIR = base;
  try {
    process.seteuid!(USER);
    using changes = beginChanges("/images");
    expect(changes.problem).toBeUndefined();
    const state = stateDirectory();
    const of = (path: string) => {
      const { uid, mode } = statSync(path);
      return [uid, mode & 0o777];
    };
    const [journal] = readdirSync(state);
    expect(state).toBe(join(base, "recriu"));
    expect([of(state), of(join(state, journal!))]).toEqual([
      [USER, 0o700],
      [USER, 0o600],
    ]);
  } finally {
    process.seteuid!(0);
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  }
});
