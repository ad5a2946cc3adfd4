/** Which process group is kept in its session while a detached restore ends, and until when. */
import { afterEach, expect, test } from "bun:test";
import { requestFrom } from "../../src/criu/index.ts";
import type { Checkpoint } from "../../src/image/index.ts";
import { childrenOf, readStat } from "../../src/host/processes.ts";
import { leavesStopped, stoppedJob } from "../../src/restore/job.ts";
import { gone, killTree } from "../../src/restore/tree.ts";

const requestOf = (...words: string[]) => {
  const asked = requestFrom(["-D", "/nowhere", ...words], {}, []);
  if (!asked.ok) throw new Error(asked.problem);
  return asked.request;
};

test("only a tree that stays stopped, of a restore that ends", () => {
  const leaves = (state: string, ...words: string[]) =>
    leavesStopped(
      { tasks: [{ state: "alive" }, { state }] } as unknown as Checkpoint,
      requestOf(...words),
    );
  expect(leaves("stopped", "-d")).toBe(true);
  expect(leaves("alive", "-d", "--leave-stopped")).toBe(true);
  expect(leaves("alive", "-d")).toBe(false);
  expect(leaves("stopped")).toBe(false);
  expect(leaves("alive", "--leave-stopped")).toBe(false);
});

const started: Bun.Subprocess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) {
    await gone(killTree(child.pid));
    await child.exited;
  }
});

/** A shell of a session of its own, with job control or without; `root` is a process below `last` there. */
async function session(control: boolean) {
  const inner = `sh -c 'sleep 60 & echo; wait'`;
  const script = `${control ? "set -m; " : ""}${inner} & echo; wait`;
  const shell = Bun.spawn(["setsid", "bash", "-c", script], { stdout: "pipe", stdin: "ignore" });
  started.push(shell);
  await shell.stdout.getReader().read();
  const below = (pid: number) => childrenOf(pid)[0];
  while (below(below(shell.pid) ?? 0) === undefined) await Bun.sleep(2);
  const last = below(shell.pid)!;
  return { shell: shell.pid, last, root: below(last)! };
}

test("a tree in another group than who ends: that one's group is outside of it", async () => {
  const { shell, last } = await session(true);
  // Seen from the shell's own group, the job's is another.
  const group = readStat(last)!.pgrp;
  expect(group).not.toBe(readStat(shell)!.pgrp);
  expect(stoppedJob(last, shell)).toEqual({ group, outside: readStat(shell)!.pgrp, until: shell });
});

test("a tree in the group of who ends: that one's caller connects it, where it is in another group", async () => {
  const { shell, last, root } = await session(true);
  const { pgrp } = readStat(last)!;
  expect(stoppedJob(root, last)).toEqual({
    group: pgrp,
    outside: readStat(shell)!.pgrp,
    until: last,
  });
  const plain = await session(false);
  expect(stoppedJob(plain.root, plain.last)).toBeUndefined();
});

test("nothing in another session, and of nobody", async () => {
  const { last } = await session(true);
  expect(stoppedJob(last, process.pid)).toBeUndefined();
  expect(stoppedJob(0x3ffffe, last)).toBeUndefined();
  expect(stoppedJob(last, 0x3ffffe)).toBeUndefined();
});
