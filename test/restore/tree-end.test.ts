/** A tree that must not stay: all of it ends, and is waited for. */
import { expect, spyOn, test } from "bun:test";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descendantsOf, readStat } from "../../src/host/processes.ts";
import { dying, gone, killTree } from "../../src/restore/tree.ts";
import { SIGKILL, SIGSTOP } from "../../src/sys/linux.ts";
import * as processes from "../../src/sys/process.ts";
import { compile } from "./stage/compile.ts";

/** A process with a child and a grandchild; all of them. */
async function three() {
  const child = Bun.spawn(["sh", "-c", "sh -c 'sleep 60; :' & echo; wait"], {
    stdout: "pipe",
    stdin: "ignore",
  });
  await child.stdout.getReader().read();
  while (descendantsOf(child.pid).length < 2) await Bun.sleep(2);
  return { child, all: [child.pid, ...descendantsOf(child.pid)] };
}

const lives = (pid: number) => !["Z", undefined].includes(readStat(pid)?.state);

test("everything below is killed, and what was killed is told and waited for", async () => {
  const { child, all } = await three();
  expect(killTree(child.pid).toSorted()).toEqual(all.toSorted());
  await gone(all);
  expect(all.filter(lives)).toEqual([]);
  await child.exited;
});

test("one that is gone already, and one that is named twice", async () => {
  const { child, all } = await three();
  expect(killTree(0x3ffffe, child.pid, ...all).toSorted()).toEqual(all.toSorted());
  await child.exited;
});

test("nothing is forked meanwhile: each is stopped before those below it are looked for, and killed at last", async () => {
  const { child, all } = await three();
  const seen: string[] = [];
  const kills = spyOn(processes, "kill").mockImplementation((pid, signal) => {
    seen.push(`${pid} ${signal}`);
    process.kill(pid, signal);
    return 0;
  });
  try {
    killTree(child.pid);
  } finally {
    kills.mockRestore();
  }
  const byHand = (signal: number) => all.map((pid) => `${pid} ${signal}`);
  expect(seen.toSorted()).toEqual([...byHand(SIGSTOP), ...byHand(SIGKILL)].toSorted());
  expect(seen.slice(0, 3).toSorted()).toEqual(byHand(SIGSTOP).toSorted());
  expect(seen[0]).toBe(`${child.pid} ${SIGSTOP}`);
  await child.exited;
});

test("on its way to its end: a process whose first thread has ended and whose other lives", async () => {
  const ready = join(tmpdir(), `recriu-leaderless-${process.pid}`);
  const child = Bun.spawn([compile("leaderless"), ready, "60000"], { stdin: "ignore" });
  while (readStat(child.pid)?.state !== "Z") await Bun.sleep(2);
  expect(dying()).toContain(child.pid);
  expect(dying()).not.toContain(process.pid);
  child.kill("SIGKILL");
  await child.exited;
  expect(dying()).not.toContain(child.pid);
  rmSync(ready, { force: true });
});
