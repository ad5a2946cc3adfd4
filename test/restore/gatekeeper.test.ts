/** What keeps a wrong tree from running: the gatekeeper's states, by hand. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestFrom } from "../../src/criu/index.ts";
import { type Checkpoint, openCheckpoint } from "../../src/image/index.ts";
import { POST_RESTORE, POST_RESUME, PRE_RESUME } from "../../src/restore/gate.ts";
import { type Gatekeeper, gatekeeper, type Kept } from "../../src/restore/gatekeeper.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-gatekeeper-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** A checkpoint of no task: no living tree is the saved one, and a process that is not there is. */
const opened = openCheckpoint(dir);
if (!opened.ok) throw new Error(opened.fault.problem);
const { checkpoint } = opened;
const NOBODY = 0x3ffffe;

/** Looking at it throws; `only`: at this of it. */
const breaking = (only?: keyof Checkpoint) =>
  new Proxy(checkpoint, {
    get: (target, name) => {
      if (only === undefined || name === only) throw new Error("this breaks");
      return Reflect.get(target, name);
    },
  });

const requestOf = (...words: string[]) => {
  const asked = requestFrom(["-D", dir, ...words], {}, []);
  if (!asked.ok) throw new Error(asked.problem);
  return asked.request;
};

function keeperOf(more: Partial<Kept> = {}) {
  const noted: number[] = [];
  const keeper = gatekeeper({
    checkpoint,
    request: requestOf(),
    settings: { verify: "gate", schedPrio: undefined },
    edited: false,
    noteTree: (root) => noted.push(root),
    last: undefined,
    ...more,
  });
  return { keeper, noted };
}

const ask = (keeper: Gatekeeper, point: string, root: number, goOn?: () => void) =>
  keeper.decide({ point, root, criu: process.pid, goOn });

/** A process of the test's own that is in no checkpoint; its end is told. */
function stranger() {
  const child = Bun.spawn(["sleep", "60"]);
  return {
    pid: child.pid,
    isKilled: async () => {
      const ended = await Promise.race([child.exited, Bun.sleep(200).then(() => "lives")]);
      child.kill("SIGKILL");
      await child.exited;
      return ended !== "lives";
    },
  };
}

const sibling = requestOf("-d", "--restore-sibling");

test("waiting, structure verified, running", () => {
  const { keeper, noted } = keeperOf();
  expect(keeper.state).toMatchObject({ at: "waiting", root: null });
  expect(ask(keeper, "setup-namespaces", Number.NaN)).toBe(true);
  expect(keeper.state.at).toBe("waiting");
  let gone = false;
  expect(ask(keeper, POST_RESTORE, NOBODY, () => (gone = true))).toBe(true);
  expect(keeper.state).toMatchObject({ at: "structure verified", root: NOBODY });
  expect([gone, noted]).toEqual([true, [NOBODY]]);
  expect(ask(keeper, PRE_RESUME, NOBODY)).toBe(true);
  const runs = { at: "running", root: NOBODY, verdict: { result: "match" } };
  expect(keeper.state).toMatchObject(runs);
  expect(keeper.state.notes).toBeUndefined();
  expect(ask(keeper, POST_RESUME, NOBODY)).toBe(true);
  expect(keeper.state).toMatchObject({ ...runs, notes: [] });
});

test("another tree: refused at the first point, and CRIU does not go on meanwhile", async () => {
  const { pid, isKilled } = stranger();
  const { keeper, noted } = keeperOf();
  let gone = false;
  expect(ask(keeper, POST_RESTORE, pid, () => (gone = true))).toBe(false);
  expect([gone, noted]).toEqual([false, []]);
  expect(keeper.state).toMatchObject({ at: "refused", verdict: { result: "mismatch" } });
  // CRIU ends it.
  expect(await isKilled()).toBe(false);
});

test("another tree: killed at the last point", async () => {
  const { pid, isKilled } = stranger();
  const { keeper } = keeperOf();
  expect(ask(keeper, PRE_RESUME, pid)).toBe(false);
  expect(keeper.state.at).toBe("refused");
  expect(await isKilled()).toBe(true);
  // A killed tree does not run, whatever CRIU says.
  ask(keeper, POST_RESUME, pid);
  expect(keeper.state.at).toBe("refused");
});

for (const more of [
  { settings: { verify: "report", schedPrio: undefined } },
  { request: sibling },
] as const)
  test(`another tree that is only told of runs: ${Object.keys(more)}`, async () => {
    const { pid, isKilled } = stranger();
    const { keeper } = keeperOf(more);
    expect(ask(keeper, PRE_RESUME, pid)).toBe(true);
    expect(keeper.state).toMatchObject({ at: "running", verdict: { result: "mismatch" } });
    expect(await isKilled()).toBe(false);
  });

for (const point of [POST_RESTORE, PRE_RESUME])
  test(`a comparison that throws lets no tree run: ${point}`, async () => {
    const { pid, isKilled } = stranger();
    // Not all of a checkpoint that breaks is looked at before the gatekeeper is there.
    const { keeper, noted } = keeperOf({ checkpoint: breaking() });
    expect(ask(keeper, point, pid, () => {})).toBe(false);
    expect(noted).toEqual([]);
    expect(keeper.state).toMatchObject({ at: "refused", verdict: { result: "mismatch" } });
    expect(keeper.state.verdict.differences[0]).toMatchObject({ facet: "verification" });
    expect(await isKilled()).toBe(point === PRE_RESUME);
  });

test("a comparison that throws is told of where all is only told, and kills no sibling", async () => {
  const report = { verify: "report", schedPrio: undefined } as const;
  for (const more of [
    { checkpoint: breaking("root"), settings: report },
    { checkpoint: breaking(), request: sibling },
  ]) {
    const { pid, isKilled } = stranger();
    const { keeper } = keeperOf(more);
    ask(keeper, PRE_RESUME, pid);
    ask(keeper, POST_RESUME, pid);
    // It runs, and is not the saved one.
    expect(keeper.state).toMatchObject({ at: "running", verdict: { result: "mismatch" } });
    expect(keeper.state.verdict.differences[0]).toMatchObject({ facet: "verification" });
    expect(await isKilled()).toBe(false);
  }
});

test("a tree of which no journal can be written does not go on", () => {
  const noteTree = () => {
    throw new Error("the disk is full");
  };
  for (const goOn of [undefined, () => {}]) {
    const { keeper } = keeperOf({ noteTree });
    expect(ask(keeper, POST_RESTORE, NOBODY, goOn)).toBe(false);
    expect(keeper.state.at).toBe("refused");
  }
});

test("what is not looked at is skipped, and runs", () => {
  const { keeper } = keeperOf({ settings: { verify: "off", schedPrio: undefined }, checkpoint });
  expect(ask(keeper, POST_RESTORE, NOBODY)).toBe(true);
  expect(ask(keeper, PRE_RESUME, NOBODY)).toBe(true);
  expect(keeper.state).toMatchObject({ at: "running", verdict: { result: "skipped" } });
});
