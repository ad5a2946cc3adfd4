/** The verdict of all facets: what counts as what, on a process of the test's own against images that name it. */
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "../../src/image/index.ts";
import { closeTree, findRoot, lookAgain, liveTree } from "../../src/verify/live.ts";
import { merged, skipped, verify, type Verdict } from "../../src/verify/index.ts";
import { fixture, image } from "../image/fixture.ts";
import { requestOf } from "./tree.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-verdict-"));
afterAll(() => rmSync(dir, { recursive: true }));

let child: Bun.Subprocess;
let below: number;
beforeEach(async () => {
  const words = ["sh", "-c", "sleep 60 & echo $!; wait"];
  const started = Bun.spawn(words, { stdout: "pipe", stdin: "ignore", cwd: "/" });
  child = started;
  const { value } = await started.stdout.getReader().read();
  below = Number(Buffer.from(value!).toString());
});
afterEach(async () => {
  for (const pid of [below, child.pid])
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended
    }
  await child.exited;
});

/** Images of one task that is the child, and of `others` below it. */
function checkpointOf({
  withChild = false,
  change = {},
  others = [] as object[],
} = {}): Checkpoint {
  const { pid } = child;
  const all = fixture();
  const task = (of: number, ppid: number) => ({ pid: of, ppid, pgid: of, sid: of, threads: [of] });
  const tasks = [task(pid, 0), ...(withChild ? [task(below, pid)] : [])].concat(others as never);
  const files: Record<string, Uint8Array> = {
    "inventory.img": all["inventory.img"]!,
    "pstree.img": image("pstree.img", tasks),
    ...change,
  };
  for (const { pid: of } of tasks) {
    files[`core-${of}.img`] = all["core-10.img"]!;
    files[`ids-${of}.img`] = all["ids-10.img"]!;
    files[`fs-${of}.img`] = all["fs-10.img"]!;
    files[`mm-${of}.img`] = all["mm-10.img"]!;
  }
  files["files.img"] = all["files.img"]!;
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
  const opened = openCheckpoint(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  return opened.checkpoint;
}

const request = requestOf([]);
const named = ({ differences }: Verdict) =>
  differences.map((each) => `${each.class} ${each.facet}: ${each.expected}`);

test("what a tree that runs changes is told and is no mismatch; what it cannot change is", () => {
  const checkpoint = checkpointOf({ withChild: true });
  const compare = (stopped: boolean, final: ("tree" | "state" | "outside")[]) => {
    const live = liveTree(checkpoint, child.pid, stopped);
    const verdict = verify(checkpoint, request, live, { final });
    closeTree(live);
    return verdict;
  };
  const waits = compare(true, ["tree"]);
  expect(waits.result).toBe("mismatch");
  expect(named(waits)).toContain(`fatal command: name of thread ${child.pid}: task`);
  const runs = compare(false, ["tree"]);
  expect(named(runs)).toContain(`changed command: name of thread ${child.pid}: task`);
  expect(
    named(runs).filter((line) => line.startsWith("fatal") && line.includes("command")),
  ).toEqual([]);
  const moment = new Set(runs.differences.map(({ facet }) => facet));
  expect([moment.has("signals"), moment.has("tasks"), moment.has("command")]).toEqual([
    false,
    false,
    true,
  ]);
  expect(compare(true, ["state"]).differences.some(({ facet }) => facet === "mappings")).toBe(true);
  expect(compare(true, ["outside"]).differences.some(({ facet }) => facet === "tasks")).toBe(true);
});

test("a process that no image knows is a stranger; a task that ended has nothing left to compare", async () => {
  const alone = checkpointOf();
  const live = liveTree(alone, child.pid, true);
  expect(live.strangers).toMatchObject([{ pid: below }]);
  const said = verify(alone, request, live, { final: ["outside"] });
  expect(named(said)).toContain("fatal tasks: a process that was not saved: none");
  closeTree(live);

  const checkpoint = checkpointOf({ withChild: true });
  const before = liveTree(checkpoint, child.pid, false);
  expect([...before.tasks.keys()].toSorted()).toEqual([child.pid, below].toSorted());
  process.kill(below, "SIGSTOP");
  process.kill(child.pid, "SIGSTOP");
  process.kill(below, "SIGKILL");
  for (let round = 0; round < 500 && lookAgain(before).tasks.get(below)?.state !== "Z"; round += 1)
    await Bun.sleep(2);
  const after = liveTree(checkpoint, child.pid, false);
  const of = (pid: number) =>
    verify(checkpoint, request, after, {})
      .differences.filter(({ task }) => task === pid)
      .map(({ facet, expected, found }) => `${facet}: ${expected}, ${found}`);
  expect(of(below)[0]).toBe("tasks: exists: alive, zombie");
  expect(of(below).every((line) => line.startsWith("tasks: "))).toBe(true);
  expect(of(child.pid).some((line) => line.startsWith("command: "))).toBe(true);
  closeTree(before);
  closeTree(after);
});

test("what another thread than the first has forked is below its process, too", async () => {
  const forks = `self.postMessage(Bun.spawn(["sleep", "60"], { stdin: "ignore" }).pid);`;
  const url = URL.createObjectURL(new Blob([forks], { type: "text/javascript" }));
  const worker = new Worker(url);
  const forked = await new Promise<number>((resolve) => {
    worker.addEventListener("message", ({ data }) => resolve(data as number), { once: true });
  });
  const live = liveTree(checkpointOf(), process.pid, true);
  expect(live.strangers.map(({ pid }) => pid)).toContain(forked);
  expect(live.tasks.has(child.pid)).toBe(true);
  closeTree(live);
  process.kill(forked, "SIGKILL");
  worker.terminate();
});

test("a child that the root had adopted is found wherever it is now, but no process older than the root", () => {
  const adopted = (pid: number) => ({ pid, ppid: child.pid, pgid: pid, sid: 1, threads: [pid] });
  const elsewhere = Bun.spawn(["sleep", "60"], { stdin: "ignore" });
  const found = (pid: number) => {
    const live = liveTree(checkpointOf({ others: [adopted(pid)] }), child.pid, true);
    closeTree(live);
    return live.tasks.has(pid);
  };
  expect(found(elsewhere.pid)).toBe(true);
  expect(found(process.pid)).toBe(false);
  elsewhere.kill("SIGKILL");
});

test("looked at again, it is the same processes, as they are then", () => {
  const checkpoint = checkpointOf({ withChild: true });
  const live = liveTree(checkpoint, child.pid, true);
  process.kill(child.pid, "SIGKILL");
  process.kill(below, "SIGKILL");
  Bun.spawnSync(["sleep", "0.05"]);
  const later = lookAgain(live);
  expect(later.tasks.get(child.pid)?.state ?? "Z").toBe("Z");
  expect(live.tasks.get(child.pid)!.state).not.toBe("Z");
  closeTree(live);
});

test("the root of a checkpoint: the process of its number, if it runs the program", () => {
  expect(findRoot(checkpointOf())).toBeUndefined();
  const all = fixture();
  const noProgram = checkpointOf({ change: { "files.img": all["files.img"] } });
  expect(findRoot({ ...noProgram, root: { pid: 0x3ffffe } } as Checkpoint)).toBeUndefined();
  const exe = require("node:fs").readlinkSync(`/proc/${child.pid}/exe`);
  const root = { pid: child.pid, mm: { exe_file_id: 1 } };
  const of = (name: string) =>
    findRoot({ root, openFiles: new Map([[1, { reg: { name } }]]) } as unknown as Checkpoint);
  expect(of(exe)).toBe(child.pid);
  expect(of("/bin/other")).toBeUndefined();
});

test("two comparisons together: fatal in one of them is fatal; what was left out is counted by its reason", () => {
  const one: Verdict = {
    result: "match",
    compared: 3,
    not_compared: 2,
    left_out: [{ facet: "a", reason: "why", count: 2 }],
    differences: [{ facet: "a", task: 1, expected: "x", found: "y", class: "tolerated" }],
  };
  const other: Verdict = {
    ...one,
    compared: 4,
    left_out: [
      { facet: "a", reason: "why", count: 1 },
      { facet: "b", reason: "why", count: 1 },
    ],
    differences: [{ facet: "b", task: 1, expected: "x", found: "y", class: "fatal" }],
  };
  expect(merged(one, other)).toEqual({
    result: "mismatch",
    compared: 7,
    not_compared: 4,
    left_out: [
      { facet: "a", reason: "why", count: 3 },
      { facet: "b", reason: "why", count: 1 },
    ],
    differences: [...one.differences, ...other.differences],
  });
  for (const each of ["tolerated", "expected", "mended", "changed"] as const)
    expect(
      merged(one, { ...other, differences: [{ ...other.differences[0]!, class: each }] }).result,
    ).toBe("match");
  expect(skipped.result).toBe("skipped");
});
