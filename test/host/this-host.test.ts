/** This machine, as checks see it: which processes are in the way, and which are not. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { descriptorLimits } from "../../src/host/limits.ts";
import { thisHost } from "../../src/host/index.ts";
import { getLimit, setLimit } from "../../src/sys/process.ts";

test("what recriu has started is not in the way; recriu itself is where it stays", async () => {
  const child = Bun.spawn(["sleep", "60"], { stdin: "ignore" });
  const listed = (stays: boolean) => thisHost(stays).processes.map(({ pid }) => pid);
  expect(listed(true)).not.toContain(child.pid);
  expect(listed(true)).toContain(process.pid);
  expect(listed(false)).not.toContain(process.pid);
  expect([...thisHost().recriuPids]).toContain(child.pid);
  expect([...thisHost().recriuPids]).not.toContain(process.pid);
  const host = thisHost();
  expect(host.ending(child.pid)).toBe(false);
  child.kill("SIGKILL");
  await child.exited;
  // It is asked anew.
  expect(host.ending(child.pid)).toBe(true);
  // One that has ended and was not waited for.
  const parent = Bun.spawn(["sh", "-c", "sleep 0 & echo $!; exec sleep 60"], { stdout: "pipe" });
  const { value } = await parent.stdout.getReader().read();
  const zombie = Number(Buffer.from(value!).toString());
  for (let round = 0; round < 1000 && !host.ending(zombie); round += 1) await Bun.sleep(2);
  expect(host.ending(zombie)).toBe(true);
  parent.kill("SIGKILL");
});

test("what is there exists, and nothing else", () => {
  const host = thisHost();
  expect([host.exists("/proc/self"), host.exists("/proc/self/no")]).toEqual([true, false]);
});

test("numbers of processes and of threads are taken, others not", () => {
  const { isNumberOfTask } = thisHost();
  const threads = readdirSync("/proc/self/task").map(Number);
  expect(threads.length).toBeGreaterThan(1);
  expect([1, process.pid, ...threads].filter((number) => !isNumberOfTask(number))).toEqual([]);
  const ended = Bun.spawnSync(["true"]).pid;
  // kill(2) takes 0 and -1 for many.
  expect([ended, 0, -1, 2 ** 32 - 1, 2 ** 32 + 1].filter(isNumberOfTask)).toEqual([]);
});

const NOFILE = 7;

test("the soft limit of descriptors that recriu was given: its parent's, if it may have that", () => {
  const own = getLimit(0, NOFILE);
  const parents = getLimit(process.ppid, NOFILE);
  if (typeof own === "number" || typeof parents === "number") throw new Error("no limit");
  const expected = parents.soft <= own.hard ? parents.soft : own.soft;
  // The runtime has raised its own, or is made to have.
  setLimit(0, NOFILE, expected === own.hard ? own.hard - 1n : own.hard, own.hard);
  try {
    expect(descriptorLimits()!.inherited).toBe(expected);
  } finally {
    setLimit(0, NOFILE, own.soft, own.hard);
  }
});
