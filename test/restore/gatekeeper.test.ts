/** What keeps a wrong tree from running: the gatekeeper's states, by hand. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestFrom } from "../../src/criu/index.ts";
import { readStat } from "../../src/host/processes.ts";
import { type Checkpoint, openCheckpoint } from "../../src/image/index.ts";
import { POST_RESTORE, POST_RESUME, PRE_RESUME } from "../../src/restore/gate.ts";
import { type Gatekeeper, gatekeeper, type Kept } from "../../src/restore/gatekeeper.ts";
import { scheduling } from "../../src/sys/scheduling.ts";

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

const sibling = requestOf("-d", "--restore-sibling");

function keeperOf(more: Partial<Kept> = {}) {
  const noted: number[] = [];
  const keeper = gatekeeper({
    checkpoint,
    request: requestOf(),
    settings: { verify: "gate", schedPrio: undefined },
    edits: [],
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

test("a tree with connections is noted, and goes on only when all was compared", () => {
  const isk = { proto: 6, state: 1 };
  const connected = new Proxy(checkpoint, {
    get: (target, name) =>
      name === "openFiles" ? new Map([[7, { isk }]]) : Reflect.get(target, name),
  });
  for (const more of [{ checkpoint: connected }, { request: sibling }]) {
    const { keeper, noted } = keeperOf(more);
    let gone = false;
    expect(ask(keeper, POST_RESTORE, NOBODY, () => (gone = true))).toBe(true);
    expect([gone, noted, keeper.state.at]).toEqual([false, [NOBODY], "structure verified"]);
  }
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

test("what is not looked at is skipped, and runs", async () => {
  const { pid, isKilled } = stranger();
  const { keeper } = keeperOf({ settings: { verify: "off", schedPrio: undefined } });
  expect(ask(keeper, POST_RESTORE, pid)).toBe(true);
  expect(keeper.state).toMatchObject({ at: "structure verified" });
  expect(ask(keeper, PRE_RESUME, pid)).toBe(true);
  expect(keeper.state).toMatchObject({ at: "running", verdict: { result: "skipped" } });
  expect(await isKilled()).toBe(false);
});

test("at the first point what is only told of goes on", async () => {
  const { pid, isKilled } = stranger();
  const { keeper, noted } = keeperOf({ settings: { verify: "report", schedPrio: undefined } });
  expect(ask(keeper, POST_RESTORE, pid)).toBe(true);
  expect([keeper.state.at, noted]).toEqual(["structure verified", [pid]]);
  expect(await isKilled()).toBe(false);
});

test("what is done at post-resume is done once", () => {
  const { keeper } = keeperOf();
  ask(keeper, PRE_RESUME, NOBODY);
  ask(keeper, POST_RESUME, NOBODY);
  const { state } = keeper;
  ask(keeper, POST_RESUME, NOBODY);
  expect(keeper.state).toBe(state);
});

/** The checkpoint of a tree that processes of the test's own are, the first its root; `core` is of each. */
function treeOf(pids: readonly number[], core: object, more: object = {}): Checkpoint {
  const tasks = pids.map((pid, at) => {
    const stat = readStat(pid)!;
    const threads = [{ tid: pid, core: { tc: {}, ...core } }];
    const ids = { ppid: at === 0 ? 0 : pids[0]!, pgid: stat.pgrp, sid: stat.session };
    return {
      pid,
      ...ids,
      state: "alive",
      threads,
      core: threads[0]!.core,
      fds: [],
      ...(at > 0 && more),
    };
  });
  const replaced: Record<string | symbol, unknown> = { tasks, root: tasks[0] };
  return new Proxy(checkpoint, {
    get: (target, name) => (name in replaced ? replaced[name] : Reflect.get(target, name)),
  });
}

test("what was settled while CRIU worked on decides at the last point", async () => {
  const { pid, isKilled } = stranger();
  const { keeper } = keeperOf({ checkpoint: treeOf([pid], { thread_core: { comm: "other" } }) });
  let gone = false;
  // No other tasks than the saved ones: CRIU goes on. That the name differs is seen meanwhile.
  expect(ask(keeper, POST_RESTORE, pid, () => (gone = true))).toBe(true);
  expect([gone, keeper.state.at]).toEqual([true, "structure verified"]);
  expect(ask(keeper, PRE_RESUME, pid)).toBe(false);
  expect(keeper.state).toMatchObject({ at: "refused", verdict: { result: "mismatch" } });
  expect(keeper.state.verdict.differences).toContainEqual(
    expect.objectContaining({ facet: "command", found: "sleep" }),
  );
  expect(await isKilled()).toBe(true);
});

test("all of a refused tree is killed, also what is not below its root", async () => {
  const [root, elsewhere] = [stranger(), stranger()];
  // A child that the root had adopted, of another session.
  const adopted = { sid: 7 };
  const tree = treeOf([root.pid, elsewhere.pid], { thread_core: { comm: "other" } }, adopted);
  const { keeper } = keeperOf({ checkpoint: tree });
  expect(ask(keeper, PRE_RESUME, root.pid)).toBe(false);
  expect(await Promise.all([root.isKilled(), elsewhere.isKilled()])).toEqual([true, true]);
});

test("what was edited is set right though nothing is verified", async () => {
  const edit = { file: "core-1.img", entry: 0, field: "thread_core.sched_nice", from: 5, to: 0 };
  for (const edits of [[edit], []]) {
    const { pid, isKilled } = stranger();
    const core = { thread_core: { sched_policy: 0, sched_nice: 5 } };
    const settings = { verify: "off", schedPrio: undefined } as const;
    const { keeper } = keeperOf({ checkpoint: treeOf([pid], core), settings, edits });
    expect(ask(keeper, PRE_RESUME, pid)).toBe(true);
    expect(scheduling(pid)).toMatchObject({ nice: edits.length > 0 ? 5 : 0 });
    expect(await isKilled()).toBe(false);
  }
});
