/** A tree that must not stay: all of it ends, and is waited for. */
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descendantsOf, listProcesses, readStat } from "../../src/host/processes.ts";
import { dying, gone, killTree } from "../../src/restore/tree.ts";
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

test("nothing is forked meanwhile: each is stopped before those below it are looked for", async () => {
  const forks = "for i in $(seq 300); do sleep 60 & done; wait";
  for (let round = 0; round < 3; round += 1) {
    const child = Bun.spawn(["setsid", "bash", "-c", forks], { stdin: "ignore" });
    while (descendantsOf(child.pid).length < 50) await Bun.sleep(1);
    await gone(killTree(child.pid));
    await child.exited;
    const left = listProcesses().filter(
      ({ session, state }) => session === child.pid && state !== "Z",
    );
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    expect(left).toEqual([]);
  }
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
