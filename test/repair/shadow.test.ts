/** The shadow of hostile images: nothing outside of it is written, followed or removed. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Edit } from "../../src/checks/index.ts";
import { openCheckpoint } from "../../src/image/index.ts";
import type { Step } from "../../src/repair/step.ts";
import { fillShadow } from "../../src/repair/shadow-images.ts";
import { besides, openShadow, removeShadow } from "../../src/repair/shadow.ts";
import { fixture, image } from "../image/fixture.ts";

let base: string;
let images: string;
let steps: Step[];

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-shadow-")));
  images = join(base, "images");
  steps = [];
  mkdirSync(images);
  mkdirSync(join(base, "outside"));
  writeFileSync(join(base, "outside/file"), "kept");
  for (const [name, bytes] of Object.entries(fixture())) writeFileSync(join(images, name), bytes);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const edit = (changes: Partial<Edit> = {}): Edit => ({
  file: "core-11.img",
  entry: 0,
  field: "thread_core.sched_prio",
  from: null,
  to: 7,
  why: "",
  ...changes,
});

/** The shadow's path, or why there is none. */
function make(...edits: Edit[]): string {
  const opened = openCheckpoint(images);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const made = openShadow(besides(images), (step) => steps.push(step));
  if (!made.ok) return made.problem;
  const problem = fillShadow(made.shadow, opened.checkpoint, edits);
  closeSync(made.shadow.fd);
  if (problem !== undefined) return problem;
  const { root, path } = steps.at(-1)!;
  return join(root, path);
}

const remove = () => steps.slice(-1).flatMap((step) => removeShadow(step) ?? []);

/** Everything but the shadow: names, modes, times, where links lead. */
const around = (): string => {
  const what = ["-name", ".recriu-*", "-prune", "-o", "-printf", "%p %m %i %T@ %C@ %l\\n"];
  return Bun.spawnSync(["find", base, "-mindepth", "1", ...what]).stdout.toString();
};

test("private, beside the images, with a link for every image and a copy of the edited one", () => {
  const before = around();
  const shadow = make(edit());
  expect(shadow).toMatch(/^\S+\/\.recriu-[0-9a-f-]{36}$/);
  expect(shadow).toStartWith(`${base}/.recriu-`);
  expect(statSync(shadow).mode & 0o7777).toBe(0o700);
  expect(readdirSync(shadow).sort()).toEqual(readdirSync(images).sort());
  for (const name of readdirSync(shadow)) {
    const same = readFileSync(join(shadow, name)).equals(readFileSync(join(images, name)));
    expect([name, lstatSync(join(shadow, name)).isSymbolicLink(), same]).toEqual([
      name,
      name !== "core-11.img",
      name !== "core-11.img",
    ]);
  }
  const opened = openCheckpoint(shadow);
  if (!opened.ok) throw new Error(opened.fault.problem);
  expect(opened.checkpoint.tasks[0]!.threads[1]!.core?.thread_core?.sched_prio).toBe(7);
  expect(opened.checkpoint.readEverything()).toEqual([]);
  expect(remove()).toEqual([]);
  expect(existsSync(shadow)).toBe(false);
  expect(around()).toEqual(before);
});

test("names and links of an attacker's directory", () => {
  const outside = join(base, "outside/file");
  for (const name of ["-rf", "a\nb", "$(touch x)", "..img", "*", "a".repeat(255)])
    writeFileSync(join(images, name), "");
  symlinkSync(outside, join(images, "pages-2.img"));
  symlinkSync("pages-3.img", join(images, "pages-3.img"));
  symlinkSync("/proc/self/cwd", join(images, "parent"));
  mkdirSync(join(images, "directory/below"), { recursive: true });
  Bun.spawnSync(["mkfifo", join(images, "fifo.img")]);
  // The image to edit is a link itself: CRIU follows it, the copy is a file of its own.
  renameSync(join(images, "core-11.img"), join(base, "outside/core"));
  symlinkSync("../outside/core", join(images, "core-11.img"));
  const before = around();
  const shadow = make(edit());
  expect(readdirSync(shadow).sort()).toEqual(readdirSync(images).sort());
  expect(lstatSync(join(shadow, "core-11.img")).isFile()).toBe(true);
  expect(readFileSync(join(shadow, "pages-2.img"), "utf8")).toBe("kept");
  expect(remove()).toEqual([]);
  expect(around()).toEqual(before);
});

test("an image that cannot be edited as planned: no shadow is left", () => {
  const fifo = "core-12.img";
  rmSync(join(images, fifo));
  Bun.spawnSync(["mkfifo", join(images, fifo)]);
  const before = around();
  const wrong: [Partial<Edit>, string][] = [
    [{ from: 3 }, "no longer 3"],
    [{ entry: 1 }, "no longer"],
    [{ field: "no.such.field" }, "no longer"],
    [{ file: "pages-1.img" }, "no image of entries"],
    [{ file: "core-99.img" }, "not there"],
    [{ file: fifo }, "no regular file"],
  ];
  for (const [changes, problem] of wrong) {
    expect(make(edit(changes))).toContain(problem);
    expect(remove()).toEqual([]);
    expect(readdirSync(base).sort()).toEqual(["images", "outside"]);
  }
  expect(around()).toEqual(before);
});

test("what somebody put in its place is not followed", () => {
  const shadow = make(edit());
  renameSync(shadow, join(base, "aside"));
  symlinkSync(join(base, "outside"), shadow);
  expect(remove().length).toBe(1);
  expect(readFileSync(join(base, "outside/file"), "utf8")).toBe("kept");
  rmSync(shadow);
  renameSync(join(base, "outside"), shadow);
  expect(remove()).toEqual([`${shadow}: replaced by somebody else; left alone`]);
  expect(readFileSync(join(shadow, "file"), "utf8")).toBe("kept");
});

test("recriu was killed before it had opened its shadow", () => {
  const [root, path] = [base, ".recriu-new"];
  mkdirSync(join(root, path));
  const { dev, ino } = statSync(base);
  const step = { action: "shadow", root, path } as const;
  // In a directory that has taken the other's place nothing is removed.
  expect(removeShadow({ ...step, parent: `${dev}:${ino + 1}` })).toContain("another directory");
  expect(removeShadow({ ...step, parent: `${dev}:${ino}` })).toBeUndefined();
  expect(existsSync(join(root, path))).toBe(false);
});

test("tasks in a user namespace may pass through it, and nobody else", () => {
  const extent = { first: 0, lower_first: 100000, count: 65536 };
  const map = { uid_map: [extent], gid_map: [extent] };
  const ids = { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4, user_ns_id: 9 };
  writeFileSync(join(images, "userns-9.img"), image("userns-9.img", [map]));
  writeFileSync(join(images, "ids-10.img"), image("ids-10.img", [ids]));
  // mkdtemp's own mode: without the parent's leave even the images themselves are out of reach.
  Bun.spawnSync(["chmod", "755", base]);
  const shadow = make(edit());
  const { mode, uid, gid } = statSync(shadow);
  expect([mode & 0o7777, uid, gid]).toEqual([0o710, 0, 100000]);
  const read = (id: number, ...argv: string[]) =>
    Bun.spawnSync(["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", ...argv])
      .exitCode;
  for (const name of ["core-11.img", "pages-1.img"]) {
    expect(read(100000, "cat", join(shadow, name))).toBe(0);
    expect(read(100001, "cat", join(shadow, name))).not.toBe(0);
  }
  expect(read(100000, "touch", join(shadow, "new"))).not.toBe(0);
  expect(remove()).toEqual([]);
});

test("its name is another each time, and is written down before it is there", () => {
  const there: boolean[] = [];
  const note = ({ root, path }: Step) => void there.push(existsSync(join(root, path)));
  const made = [openShadow([base], note), openShadow([base], note)].map((each) => {
    if (!each.ok) throw new Error(each.problem);
    closeSync(each.shadow.fd);
    return each.shadow.path;
  });
  expect(new Set(made).size).toBe(2);
  expect(there).toEqual([false, true, false, true]);
});

test("in a user's directory none is made: another could be put in its place", () => {
  const users = join(base, "users");
  mkdirSync(users);
  chownSync(users, 1000, 1000);
  const made = openShadow([users, base], (step) => steps.push(step));
  if (!made.ok) throw new Error(made.problem);
  closeSync(made.shadow.fd);
  expect(made.shadow.path).toStartWith(`${base}/.recriu-`);
  expect(readdirSync(users)).toEqual([]);
  expect(openShadow([users], () => {})).toMatchObject({ ok: false });
});

test("what is in one that was not written down is not recriu's", () => {
  const path = `.recriu-${crypto.randomUUID()}`;
  mkdirSync(join(base, path));
  writeFileSync(join(base, path, "theirs"), "");
  const { dev, ino } = statSync(base);
  const step = { action: "shadow", root: base, path, parent: `${dev}:${ino}` } as const;
  expect(removeShadow(step)).toContain(path);
  expect(existsSync(join(base, path, "theirs"))).toBe(true);
});

test("an edited image is a new file: what stands at its name is neither followed nor written to", () => {
  const opened = openCheckpoint(images);
  const made = openShadow([base], (step) => steps.push(step));
  if (!opened.ok || !made.ok) throw new Error("no shadow");
  for (const plant of [
    () => symlinkSync(join(base, "outside/file"), join(made.shadow.path, "core-11.img")),
    () => writeFileSync(join(made.shadow.path, "core-11.img"), "theirs"),
  ]) {
    plant();
    expect(fillShadow(made.shadow, opened.checkpoint, [edit()])).toContain("EEXIST");
    for (const name of readdirSync(made.shadow.path)) rmSync(join(made.shadow.path, name));
  }
  closeSync(made.shadow.fd);
  expect(readFileSync(join(base, "outside/file"), "utf8")).toBe("kept");
});
