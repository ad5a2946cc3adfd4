/** What becomes of changes that their maker lets go of. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Checkpoint } from "../../src/image/index.ts";
import { beginChanges, carryOut, type Changes, stateDirectory } from "../../src/repair/index.ts";
import type { Step } from "../../src/repair/step.ts";
import { lockExclusive } from "../../src/sys/files.ts";
import { dropLeftShadows } from "../../src/repair/changes.ts";
import { makeDirectory, unmakeDirectory } from "../../src/repair/directory.ts";

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

test("until its owner is right it is closed to others; its missing parents are those of the directory above", () => {
  const USER = 1000;
  const modes: number[] = [];
  // Inside another root whose everything is, is the tree's own affair.
  const owner = { mode: 0o711, uid: USER, gid: USER };
  const repair = { ...repairOf(""), root: base, path: "/parent/made", ...owner };
  const note = ({ path, inode }: Step) =>
    inode && modes.push(statSync(join(base, path)).mode & 0o777);
  expect(makeDirectory(repair, note)).toBeUndefined();
  expect(modes).toEqual([0o700, 0o700]);
  const of = (path: string) => {
    const { uid, gid, mode } = statSync(join(base, path));
    return [uid, gid, mode & 0o7777];
  };
  expect(of("parent")).toEqual([0, 0, 0o755]);
  expect(of("parent/made")).toEqual([USER, USER, 0o711]);
});

test("what somebody else makes meanwhile is neither given to others nor removed", () => {
  const steps: Step[] = [];
  const note = (step: Step) => {
    steps.push(step);
    if (steps.length === 1) mkdirSync(made(), { mode: 0o750 });
  };
  const repair = { ...repairOf(""), root: base, path: "/made", uid: 1000, gid: 1000 };
  expect(makeDirectory(repair, note)).toBeUndefined();
  const { uid, mode } = statSync(made());
  expect([uid, mode & 0o777]).toEqual([0, 0o750]);
  for (const step of steps.slice(1)) expect(unmakeDirectory(step)).toBeUndefined();
  expect(existsSync(made())).toBe(true);
});

test("of a mkdir on which recriu was killed: what is still unfinished goes, what is finished is another's", () => {
  const step = { action: "mkdir", root: "/", path: made(), parent: inodeOf(base) } as const;
  expect(unmakeDirectory(step)).toBeUndefined();
  mkdirSync(made(), { mode: 0o755 });
  expect(unmakeDirectory(step)).toBeUndefined();
  expect(existsSync(made())).toBe(true);
  chmodSync(made(), 0o700);
  writeFileSync(join(made(), "theirs"), "");
  expect(unmakeDirectory(step)).toBe(`${made()}: in use by now; left alone`);
  rmSync(join(made(), "theirs"));
  expect(unmakeDirectory(step)).toBeUndefined();
  expect(existsSync(made())).toBe(false);
});

test("what a killed recriu left: its shadows go with the next, all else waits for `recriu undo`", () => {
  const USER = 1000;
  const before = process.env.XDG_RUNTIME_DIR;
  chownSync(base, USER, USER);
  process.env.XDG_RUNTIME_DIR = base;
  try {
    process.seteuid!(USER);
    const state = join(base, "recriu");
    mkdirSync(state, { mode: 0o700 });
    const shadow = () => {
      const name = `.recriu-${crypto.randomUUID()}`;
      mkdirSync(join(base, name), { mode: 0o700 });
      const inode = inodeOf(join(base, name));
      return { action: "shadow", root: base, path: name, parent: inodeOf(base), inode };
    };
    const left = (name: string, ...steps: unknown[]) => {
      const lines = [{ images: base, pid: 1 }, ...steps].map((step) =>
        typeof step === "string" ? step : JSON.stringify(step),
      );
      writeFileSync(join(state, `${name}.journal`), `${lines.join("\n")}\n`, { mode: 0o600 });
    };
    left("shadows", shadow());
    left("more", shadow(), { action: "mkdir", root: "/", path: "/x", parent: "1:1" });
    left("torn", shadow(), "{");
    expect(shadows()).toHaveLength(3);
    const living = shadow();
    left("living", living);
    const writer = openSync(join(state, "living.journal"), "r");
    expect(lockExclusive(writer)).toBe(0);
    dropLeftShadows();
    expect(shadows()).toEqual([living.path]);
    expect(readdirSync(state).toSorted()).toEqual([
      "living.journal",
      "more.journal",
      "torn.journal",
    ]);
    closeSync(writer);
    dropLeftShadows();
    expect(shadows()).toEqual([]);
  } finally {
    process.seteuid!(0);
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  }
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

const repairOf = (name: string) =>
  ({ action: "mkdir", root: "/", path: join(base, name), mode: 0o755, uid: 0, gid: 0 }) as const;
const nothing = { repairs: [], edits: [], settings: [], leftovers: [] };
const checkpointHere = () => ({ dir: base }) as unknown as Checkpoint;

/** Changes that write down what they are told; `problem`: they cannot. */
const noted = (problem?: string) => {
  const steps: Step[] = [];
  const record = (step: Step) => {
    if (problem === "full") throw new Error("the disk is full");
    steps.push(step);
  };
  const changes = { record, problem: problem === "full" ? undefined : problem };
  return { steps, changes: changes as unknown as Changes };
};

test("without a journal nothing is repaired, nothing edited, no second name given; a restore goes on", () => {
  const { changes, steps } = noted("/run is read-only");
  const told = "no journal can be kept, so nothing is repaired: /run is read-only";
  const edits = [{ file: "x", field: "y", from: 1, to: 2, entry: 0, why: "" }] as never;
  for (const plan of [
    { ...nothing, repairs: [repairOf("a")] },
    { ...nothing, edits },
  ])
    expect(carryOut(plan, checkpointHere(), changes)).toBe(told);
  writeFileSync(join(base, "link_remap.1"), "");
  const leftovers = [{ kind: "name", root: "/", path: join(base, "link_remap.1") }] as const;
  expect(carryOut({ ...nothing, leftovers }, checkpointHere(), changes)).toBeUndefined();
  expect(readdirSync(base)).toEqual(["link_remap.1"]);
  expect(steps).toEqual([]);
});

test("what cannot be made ends it, and what CRIU will make is written down", () => {
  const { changes, steps } = noted();
  writeFileSync(join(base, "file"), "");
  const repairs = [repairOf("a"), repairOf("file/b"), repairOf("c")];
  expect(carryOut({ ...nothing, repairs }, checkpointHere(), changes)).toContain("file");
  expect(readdirSync(base).toSorted()).toEqual(["a", "file"]);
  expect(steps.map(({ action, path }) => `${action} ${path}`)).toEqual([
    `mkdir ${join(base, "a")}`,
    `mkdir ${join(base, "a")}`,
  ]);
  steps.length = 0;
  const leftovers = [
    { kind: "socket", root: "/", path: join(base, "socket") },
    { kind: "name", root: "/", path: join(base, "file") },
  ] as const;
  expect(carryOut({ ...nothing, leftovers }, checkpointHere(), changes)).toBeUndefined();
  expect(steps).toMatchObject([{ action: "socket" }, { action: "name", kept: expect.any(String) }]);
});

test("what cannot be written down is not done", () => {
  const { changes } = noted("full");
  const repairs = [repairOf("a")];
  const told = "the journal cannot be written: the disk is full";
  expect(carryOut({ ...nothing, repairs }, checkpointHere(), changes)).toBe(told);
  expect(readdirSync(base)).toEqual([]);
});

test("a tree is noted with its root's start, and each step as it comes", () => {
  const changes = beginChanges(base);
  const written = () => {
    const [name] = journals();
    const text = readFileSync(join(stateDirectory(), name!), "utf8").trimEnd();
    return text.split("\n").map((line) => JSON.parse(line));
  };
  changes.record({ action: "socket", root: "/", path: "/x" });
  expect(written()).toEqual([
    { images: base, pid: process.pid },
    { action: "socket", root: "/", path: "/x" },
  ]);
  // Locked as long as its writer lives, so that no other recriu takes it for that of a dead one.
  const other = openSync(join(stateDirectory(), journals()[0]!), "r");
  expect(lockExclusive(other)).toBeLessThan(0);
  closeSync(other);
  changes.noteTree(process.pid);
  const stat = readFileSync("/proc/self/stat", "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  const tree = { action: "tree", root: "/", path: base, pid: process.pid, started };
  expect(written().at(-1)).toEqual(tree);
  changes.keep();
  expect(journals()).toEqual([]);
});

test("taken back last first; what cannot be is told, and keeps nothing else", () => {
  const changes = beginChanges(base);
  for (const name of ["a", "a/b", "a/b/c"]) makeDirectory(repairOf(name), changes.record);
  writeFileSync(join(base, "socket"), "");
  changes.record({
    action: "socket",
    root: "/",
    path: join(base, "socket"),
    parent: inodeOf(base),
  });
  // A setting that is not there to be read.
  changes.record({
    action: "sysctl",
    root: "/",
    path: join(base, "no"),
    parent: inodeOf(base),
    like: "1:2",
  });
  const left = changes.undo();
  expect(left.length).toBe(2);
  expect(left[0]).toStartWith(`${join(base, "no")}: `);
  expect(left[1]).toBe(`${join(base, "socket")}: not a socket; left alone`);
  expect(readdirSync(base)).toEqual(["socket"]);
  expect(journals()).toEqual([]);
});

test("the second name of a file goes when the tree runs, and brings the first back when it does not", () => {
  const file = join(base, "link_remap.1");
  const leftovers = [{ kind: "name", root: "/", path: file }] as const;
  for (const runs of [true, false]) {
    writeFileSync(file, "content");
    const changes = beginChanges(base);
    expect(carryOut({ ...nothing, leftovers }, checkpointHere(), changes)).toBeUndefined();
    expect(readdirSync(base)).toHaveLength(2);
    rmSync(file);
    if (runs) changes.keep();
    else expect(changes.undo()).toEqual([]);
    expect(readdirSync(base)).toEqual(runs ? [] : ["link_remap.1"]);
  }
});

const inodeOf = (path: string) => {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
};
