/** What a user of the machine put on the way of a repair, and what of it recriu goes through. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onlySafely } from "../../src/plan/safe.ts";
import { makeDirectory, unmakeDirectory } from "../../src/repair/directory.ts";
import type { Step } from "../../src/repair/step.ts";
import { ALICE, base, BOB, dir, home, link, plant, uproot, victim } from "./planted.ts";

const asAlice = ["setpriv", `--reuid=${ALICE}`, `--regid=${ALICE}`, "--clear-groups"];
beforeEach(plant);
afterEach(uproot);

const repairOf = (path: string, uid: number, more: object = {}) =>
  ({ id: "x", action: "mkdir", root: "/", path, mode: 0o755, uid, gid: uid, ...more }) as const;

function make(path: string, uid: number, more: object = {}) {
  const steps: Step[] = [];
  const repair = repairOf(path, uid, more);
  return { problem: makeDirectory(repair, (step) => steps.push(step)), steps, repair };
}

/** As the finding of a check comes out of the preflight. */
const foreseen = (repair: ReturnType<typeof repairOf>) =>
  onlySafely({
    id: "x",
    severity: "blocker",
    task: null,
    image: "",
    subject: "",
    message: "",
    criu_message: null,
    remedy: { kind: "repair", text: "make it", command: "install", repair },
  } as never).remedy;

type Case = [setUp: () => void, path: string, uid: number, more?: object];

/** Set up, what is to be made below `base` and for whom, and the words of the refusal. */
const refused: Record<string, [...Case, words: string[]] | [...Case]> = {};
const refuse = (
  what: string,
  words: string[],
  setUp: () => void,
  path: string,
  uid = 0,
  more = {},
) => void (refused[what] = [setUp, path, uid, { ...more, words }]);

refuse("hers in root's", ["belongs to 0:0", "only the images say"], () => {}, "a/b", ALICE);
refuse(
  "a link of hers to a directory of root's",
  ["link of uid 1000", "victim"],
  () => link(victim, "alice/run", ALICE),
  "alice/run/new",
  ALICE,
);
refuse(
  "a link of hers to a directory of her own",
  ["link of uid 1000"],
  () => link(home, "alice/run", ALICE),
  "alice/run/new",
  ALICE,
);
refuse(
  "a link of root's in a directory of hers",
  ["link of uid 0", "directory of uid 1000"],
  () => link(victim, "alice/run", 0),
  "alice/run/new",
  ALICE,
);
refuse(
  "a link of root's in a directory for all",
  ["link of uid 0", "others may write"],
  () => {
    dir("tmp", 0, 0o1777);
    link(victim, "tmp/run", 0);
  },
  "tmp/run/new",
);
refuse(
  "a link of hers in a directory for all",
  ["link of uid 1000"],
  () => {
    dir("tmp", 0, 0o1777);
    link(victim, "tmp/run", ALICE);
  },
  "tmp/run/new",
);
refuse(
  "a link of hers at the end",
  ["alice/run is a link"],
  () => link(victim, "alice/run", ALICE),
  "alice/run",
  ALICE,
);
refuse(
  "a link of root's that leads to hers",
  ["link of uid 1000"],
  () => {
    link(home, "run", 0);
    link(victim, "alice/app", ALICE);
  },
  "run/app/new",
  ALICE,
);
refuse("root's directory in hers", ["belongs to 1000:1000", "0:0"], () => {}, "alice/new");
refuse(
  "bob's directory in hers",
  ["belongs to 1000:1000", "1001:1001"],
  () => {},
  "alice/new",
  BOB,
);
refuse("another group's directory in hers", ["1000:0"], () => {}, "alice/new", ALICE, { gid: 0 });
refuse(
  "bob's directory on the way below hers",
  ["belongs to uid 1001"],
  () => dir("alice/run", BOB),
  "alice/run/new",
  BOB,
);
refuse(
  "root's directory on the way below hers",
  ["belongs to uid 0"],
  () => dir("alice/run", 0),
  "alice/run/new",
);
refuse(
  "a directory of hers in one for all, for another",
  ["belongs to 1000"],
  () => {
    dir("tmp", 0, 0o1777);
    dir("tmp/run", ALICE);
  },
  "tmp/run/new",
);
refuse(
  "a directory that all may write to",
  ["can be written to by others"],
  () => dir("open", 0, 0o777),
  "open/new",
);
refuse(
  "a directory that a group may write to",
  ["can be written to by others"],
  () => dir("open", 0, 0o775, ALICE),
  "open/new",
);
refuse(
  "such a one on the way",
  ["can be written to by others"],
  () => {
    dir("open", 0, 0o777);
    dir("open/run", 0);
  },
  "open/run/new",
);
refuse(
  "a directory of hers that all may write to",
  ["can be written to by others"],
  () => dir("alice/open", ALICE, 0o777),
  "alice/open/new",
  ALICE,
);
refuse("a set-group-id directory", ["mode 2755"], () => {}, "new", 0, { mode: 0o2755 });
refuse("a directory for all without the sticky bit", ["mode 0777"], () => {}, "new", 0, {
  mode: 0o777,
});

/** What is made, with which owner, and where it then is. */
const made: Record<string, [...Required<Case>, at: string]> = {
  "root's in root's": [() => {}, "a/b", 0, {}, "a/b"],
  "hers in hers": [() => {}, "alice/run", ALICE, {}, "alice/run"],
  "hers in hers, with a parent": [() => {}, "alice/run/app", ALICE, {}, "alice/run/app"],
  "hers in a directory of hers that her group may write to": [
    () => dir("alice/g", ALICE, 0o775),
    "alice/g/run",
    ALICE,
    {},
    "alice/g/run",
  ],
  "through a link of root's": [() => link(victim, "run", 0), "run/new", 0, {}, "victim/new"],
  "in a directory for all": [
    () => dir("tmp", 0, 0o1777),
    "tmp/.X11-unix",
    0,
    { mode: 0o1777 },
    "tmp/.X11-unix",
  ],
  "in hers in a directory for all": [
    () => {
      dir("tmp", 0, 0o1777);
      dir("tmp/run", ALICE);
    },
    "tmp/run/new",
    ALICE,
    {},
    "tmp/run/new",
  ],
};

const everything = (): string =>
  Bun.spawnSync(["find", base, "-printf", "%p %U %G %m %l\\n"]).stdout.toString();

describe("refused, and told beforehand", () => {
  for (const [what, [setUp, path, uid, more = {}]] of Object.entries(refused) as [string, Case][])
    test(what, () => {
      setUp();
      const before = everything();
      const { words, ...properties } = more as { words: string[] };
      const remedy = foreseen(repairOf(join(base, path), uid, properties));
      expect(remedy).toMatchObject({ kind: "human", command: null });
      for (const word of words) expect(remedy.text).toContain(word);
      const { problem } = make(join(base, path), uid, properties);
      for (const word of words) expect(problem).toContain(word);
      expect(everything()).toEqual(before);
    });
});

describe("made, and taken back", () => {
  for (const [what, [setUp, path, uid, more, at]] of Object.entries(made))
    test(what, () => {
      setUp();
      const before = everything();
      const remedy = foreseen(repairOf(join(base, path), uid, more));
      expect(remedy).toMatchObject({ kind: "repair", repair: { path: join(base, at) } });
      const { problem, steps, repair } = make(join(base, path), uid, more);
      expect(problem).toBeUndefined();
      const stat = statSync(join(base, at));
      expect([stat.uid, stat.gid, stat.mode & 0o7777]).toEqual([uid, uid, repair.mode]);
      for (const step of steps.toReversed()) expect(unmakeDirectory(step)).toBeUndefined();
      expect(everything()).toEqual(before);
    });
});

describe("inside the root of a container", () => {
  const MAPPED = 100_000;
  const inside = (path: string, uid: number) => make(path, uid, { root: join(base, "root") });

  test("whose root is a mapped user: he is its root", () => {
    dir("root", MAPPED);
    dir("root/run", MAPPED);
    link("/run", "root/var", MAPPED);
    expect(inside("/var/app/sock", MAPPED).problem).toBeUndefined();
    expect(statSync(join(base, "root/run/app")).uid).toBe(MAPPED);
    expect(inside("/run/root", 0).problem).toBeUndefined();
    dir("root/home", MAPPED + ALICE);
    expect(inside("/home/run", MAPPED + ALICE).problem).toBeUndefined();
    expect(inside("/home/other", MAPPED).problem).toContain("belongs to");
  });

  test("a link of his leads nowhere outside", () => {
    dir("root", MAPPED);
    link(victim, "root/run", MAPPED);
    expect(inside("/run/new", 0).problem).toContain("is not there");
    expect(readdirSync(victim)).toEqual([]);
  });

  test("the root itself, replaced by a link of a user", () => {
    link(victim, "alice/root", ALICE);
    expect(make("/new", 0, { root: join(home, "root") }).problem).toContain("link of uid 1000");
    expect(readdirSync(victim)).toEqual([]);
  });
});

test("a user swaps a link in, again and again while her directory is worked on", async () => {
  // The shell ends behind its command, so that no command works on in a directory that is removed.
  const swap = `trap exit TERM; while :; do mkdir a; rm -rf a; ln -s '${victim}' a; rm a; mkdir b; mv b a; mv kept b; rm -rf a; mv b kept; done`;
  dir("alice/kept", 0, 0o700);
  const swapper = Bun.spawn([...asAlice, "sh", "-c", swap], { cwd: home, stderr: "ignore" });
  try {
    const all = new Set<string>();
    for (let round = 0; round < 1000; round += 1) {
      const { problem, steps } = make(join(home, "a/new"), ALICE);
      all.add(problem === undefined ? "made" : "refused");
      for (const step of steps.toReversed()) unmakeDirectory(step);
      if (round % 50 === 0) await Bun.sleep(1);
    }
    expect([...all].sort()).toEqual(["made", "refused"]);
  } finally {
    swapper.kill();
    await swapper.exited;
  }
  expect(readdirSync(victim)).toEqual([]);
  expect(statSync(victim).uid).toBe(0);
  // A directory of root's in hers, which she can put anywhere in there, was not given away.
  const kept = ["kept", "a", "b"].flatMap(
    (name) => statSync(join(home, name), { throwIfNoEntry: false })?.uid ?? [],
  );
  expect(kept).toContain(0);
});

test("a user puts a directory of root's in the place of the new one as soon as it is there", async () => {
  dir("alice/kept", 0, 0o700);
  writeFileSync(join(home, "kept/file"), "");
  const { ino } = statSync(join(home, "kept"));
  const exchange = `
    const { renameSync } = require("fs");
    const move = (from, to) => { try { renameSync(from, to); } catch {} };
    for (;;) { move("kept", "new"); move("new", "kept"); }`;
  const swapper = Bun.spawn([...asAlice, process.execPath, "-e", exchange], { cwd: home });
  try {
    await Bun.sleep(100);
    for (let round = 0; round < 3000; round += 1) make("/new", BOB, { root: home });
  } finally {
    swapper.kill("SIGKILL");
    await swapper.exited;
  }
  const owners = readdirSync(home).flatMap((name) => {
    const stat = statSync(join(home, name));
    return stat.ino === ino ? [stat.uid] : [];
  });
  expect(owners).toEqual([0]);
});
