/** Paths of an attacker's checkpoint: whatever they are made of, nothing outside the root is made, changed or followed. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDirectory, unmakeDirectory } from "../../src/repair/directory.ts";
import type { Step } from "../../src/repair/step.ts";
import { removeLeftover } from "../../src/repair/leftovers.ts";
import { stepOf } from "../../src/repair/place.ts";

let base: string;
let inside: string;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "recriu-hostile-"));
  inside = join(base, "inside");
  outside = join(base, "outside");
  mkdirSync(inside);
  mkdirSync(join(outside, "kept"), { recursive: true });
  writeFileSync(join(outside, "file"), "kept");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** All that is outside: names, kinds, modes, owners, times. */
const snapshot = (): string[] =>
  [outside, base]
    .flatMap((dir) =>
      (readdirSync(dir, { recursive: dir === outside }) as string[]).map((name) => join(dir, name)),
    )
    .filter((path) => !path.startsWith(inside))
    .map((path) => {
      const { mode, uid, ino, mtimeMs, ctimeMs } = lstatSync(path);
      return [path, mode, uid, ino, mtimeMs, ctimeMs].join(" ");
    });

function make(path: string): { problem: string | undefined; steps: Step[] } {
  const steps: Step[] = [];
  const repair = {
    id: "unix-socket-dir",
    action: "mkdir",
    root: inside,
    path,
    mode: 0o1777,
    uid: 0,
    gid: 0,
  } as const;
  return { problem: makeDirectory(repair, (step) => steps.push(step)), steps };
}

/** Set up, the path that is asked for, and where it may be made inside (null: refused). */
const tricks: Record<string, [setUp: () => void, path: string, made: string | null]> = {
  "dots above the root": [() => {}, "/../outside/new", null],
  "dots in the middle": [() => mkdirSync(join(inside, "a")), "/a/../../outside/new", null],
  "dots at the end": [() => mkdirSync(join(inside, "a")), "/a/..", null],
  "an absolute link outwards": [() => symlinkSync(outside, join(inside, "a")), "/a/new", null],
  "a relative link outwards": [() => symlinkSync("../outside", join(inside, "a")), "/a/new", null],
  "a link of many dots": [
    () => symlinkSync("../../../../../../../../../../..", join(inside, "a")),
    "/a/new",
    "new",
  ],
  "a link to the root": [() => symlinkSync("/", join(inside, "a")), "/a/new", "new"],
  "a link to a link outwards": [
    () => {
      symlinkSync("b", join(inside, "a"));
      symlinkSync(outside, join(inside, "b"));
    },
    "/a/new",
    null,
  ],
  "a loop of links": [
    () => {
      symlinkSync("b", join(inside, "a"));
      symlinkSync("a", join(inside, "b"));
    },
    "/a/new",
    null,
  ],
  "a dangling link at the end": [
    () => symlinkSync(join(outside, "new"), join(inside, "a")),
    "/a",
    null,
  ],
  "a link to an existing directory at the end": [
    () => symlinkSync(join(outside, "kept"), join(inside, "a")),
    "/a",
    null,
  ],
  "a dangling link on the way": [() => symlinkSync("/nowhere", join(inside, "a")), "/a/b/c", null],
  "a magic link of /proc": [() => symlinkSync("/proc/self/cwd", join(inside, "a")), "/a/new", null],
  "a file on the way": [() => writeFileSync(join(inside, "a"), ""), "/a/new", null],
  "a FIFO on the way": [() => void Bun.spawnSync(["mkfifo", join(inside, "a")]), "/a/new", null],
  "a device on the way": [
    () => void Bun.spawnSync(["mknod", join(inside, "a"), "c", "1", "5"]),
    "/a/new",
    null,
  ],
  "a file at the end": [() => writeFileSync(join(inside, "a"), ""), "/a", null],
  "a name that ends at a NUL": [() => {}, "/a\0b", null],
  "a name of 300 letters": [() => {}, `/${"a".repeat(300)}`, null],
  "a path of 5000 letters": [() => {}, `/${"a/".repeat(2500)}b`, null],
  "a relative path": [() => {}, "../outside/new", null],
  "an empty path": [() => {}, "", null],
  "the root itself": [() => {}, "/", null],
  "double slashes and dots": [() => {}, "//a//./b/", "a/b"],
  "a name with a line break": [() => {}, "/a\nb", "a\nb"],
};

describe("a directory to make", () => {
  for (const [trick, [setUp, path, made]] of Object.entries(tricks)) {
    test(trick, () => {
      setUp();
      const before = snapshot();
      const { problem, steps } = make(path);
      expect(snapshot()).toEqual(before);
      if (made === null) expect(problem).toBeString();
      else {
        expect(problem).toBeUndefined();
        expect(statSync(join(inside, made)).mode & 0o7777).toBe(0o1777);
      }
      for (const step of steps.toReversed()) unmakeDirectory(step);
      expect(snapshot()).toEqual(before);
      if (made !== null) expect(existsSync(join(inside, made))).toBe(false);
    });
  }

  test("a directory that becomes a link outwards, again and again while it is worked on", async () => {
    // The shell ends behind its command, so that no command works on in a directory that is removed.
    const swap = `trap exit TERM; while :; do mkdir a; rm -rf a; ln -s '${outside}' a; rm a; done`;
    const swapper = Bun.spawn(["sh", "-c", swap], { cwd: inside, stderr: "ignore" });
    const before = snapshot();
    try {
      for (let round = 0; round < 3000; round += 1) {
        const { steps } = make("/a/new/newer");
        for (const step of steps.toReversed()) unmakeDirectory(step);
        if (round % 50 === 0) await Bun.sleep(1);
      }
    } finally {
      swapper.kill();
      await swapper.exited;
    }
    expect(snapshot()).toEqual(before);
  });
});

describe("what is taken back is only what was made", () => {
  test("somebody put another directory in its place", () => {
    const { steps } = make("/a");
    renameSync(join(inside, "a"), join(inside, "b"));
    mkdirSync(join(inside, "a"));
    expect(unmakeDirectory(steps.at(-1)!)).toContain("replaced");
    expect(existsSync(join(inside, "a"))).toBe(true);
  });

  test("somebody put a link in its place, or something into it", () => {
    const { steps } = make("/a");
    writeFileSync(join(inside, "a/theirs"), "");
    expect(unmakeDirectory(steps.at(-1)!)).toContain("in use");
    rmSync(join(inside, "a"), { recursive: true });
    symlinkSync(join(outside, "kept"), join(inside, "a"));
    expect(unmakeDirectory(steps.at(-1)!)).toBeString();
    expect(existsSync(join(outside, "kept"))).toBe(true);
  });

  test("a directory that was there already is not ours", () => {
    mkdirSync(join(inside, "a"), { mode: 0o700 });
    const { problem, steps } = make("/a");
    expect(problem).toBeUndefined();
    expect(unmakeDirectory(steps.at(-1)!)).toBeUndefined();
    expect(statSync(join(inside, "a")).mode & 0o7777).toBe(0o700);
  });

  test("a socket's name that is a file, a link outwards, or a live socket", () => {
    const step = (path: string) => stepOf({ kind: "socket", root: inside, path });
    const remove = (path: string) => removeLeftover(step(path));
    writeFileSync(join(inside, "file"), "");
    expect(remove("/file")).toContain("not a socket");
    symlinkSync(join(outside, "file"), join(inside, "link"));
    expect(remove("/link")).toContain("not a socket");
    symlinkSync(outside, join(inside, "dir"));
    expect(remove("/dir/file")).toBeUndefined();
    expect(existsSync(join(outside, "file"))).toBe(true);
    expect(remove("/nothing")).toBeUndefined();
    const live = Bun.listen({ unix: join(inside, "live"), socket: { data() {} } });
    try {
      expect(remove("/live")).toContain("in use by now");
      expect(lstatSync(join(inside, "live")).isSocket()).toBe(true);
    } finally {
      live.stop(true);
    }
  });
});
