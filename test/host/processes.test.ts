/** Processes as /proc tells them: on texts, and on processes of the test's own. */
import { expect, test } from "bun:test";
import {
  childrenOf,
  descendantsOf,
  familyOf,
  hasEnded,
  innermostPid,
  isEnding,
  parseStat,
  parseStatus,
  readStat,
  type Stat,
} from "../../src/host/processes.ts";

test("a name may have anything in it; start, terminal and the rest are the fields of proc_pid_stat(5)", () => {
  const fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 2200 20";
  expect(parseStat(`42 (a) b (c) ${fields}`)).toEqual({
    pid: 42,
    comm: "a) b (c",
    state: "S",
    ppid: 1,
    pgrp: 2,
    session: 3,
    tty: 4,
    foreground: 5,
    flags: 6,
    starttime: 2200n,
  });
  expect(parseStat("")).toBeUndefined();
});

test("fields of a status by their whole name", () => {
  const status = parseStatus("Name:\tx\nNSpid:\t9\t2\nPid:\t9\nCapEff:\tff\n");
  expect(status.get("Pid")).toBe("9");
  expect(status.get("pid")).toBeUndefined();
  expect(status.get("NSpid")).toBe("9\t2");
  expect(status.get("Cap")).toBeUndefined();
  expect(parseStatus().get("Pid")).toBeUndefined();
});

test("all that is below a process, and the family with it", async () => {
  const code = "sh -c 'sleep 60; :' & echo; wait";
  const child = Bun.spawn(["sh", "-c", code], { stdout: "pipe", stdin: "ignore" });
  await child.stdout.getReader().read();
  while (descendantsOf(child.pid).length < 2) await Bun.sleep(2);
  const [one, ...none] = childrenOf(child.pid);
  expect(none).toEqual([]);
  const [two] = childrenOf(one!);
  expect(descendantsOf(child.pid).toSorted()).toEqual([one!, two!].toSorted());
  const listed = [child.pid, one!, two!].map((pid) => readStat(pid)!);
  expect([...familyOf(child.pid, listed)].toSorted()).toEqual([child.pid, one!, two!].toSorted());
  // From above: a shell that waits for another ends with it.
  for (const pid of [child.pid, one!, two!]) process.kill(pid, "SIGKILL");
  await child.exited;
});

test("children that another thread has forked", async () => {
  const forks = `self.postMessage(Bun.spawn(["sleep", "60"], { stdin: "ignore" }).pid);`;
  const url = URL.createObjectURL(new Blob([forks], { type: "text/javascript" }));
  const worker = new Worker(url);
  const forked = await new Promise<number>((resolve) => {
    worker.addEventListener("message", ({ data }) => resolve(data as number), { once: true });
  });
  expect(childrenOf(process.pid)).toContain(forked);
  process.kill(forked, "SIGKILL");
  worker.terminate();
});

const GONE = 0x3ffffe;
const stat = (more: Partial<Stat>): Stat => ({ ...readStat("self")!, pid: GONE, ...more });

test("on its way to its end: a zombie, one that exits, one that was sent SIGKILL", () => {
  expect(isEnding(readStat("self")!)).toBe(false);
  for (const state of ["Z", "X"]) expect(isEnding(stat({ state }))).toBe(true);
  expect(isEnding(stat({ flags: 4 }))).toBe(true);
  expect(isEnding(stat({ flags: 0, state: "S" }))).toBe(false);
});

test("sent SIGKILL and not gone: a process of which nothing runs until it is let go on", async () => {
  // A process whose tracer is stopped waits in its exit.
  const child = Bun.spawn(["sleep", "60"], { stdin: "ignore" });
  let seen = false;
  for (let round = 0; round < 2000 && !seen; round += 1) {
    if (round === 0) child.kill("SIGKILL");
    const now = readStat(child.pid);
    if (now === undefined) break;
    seen = isEnding(now);
  }
  expect(seen).toBe(true);
  await child.exited;
});

test("ended: a zombie without other threads", () => {
  expect(hasEnded(stat({ state: "Z" }))).toBe(true);
  expect(hasEnded(stat({ state: "X" }))).toBe(true);
  expect(hasEnded(stat({ state: "S" }))).toBe(false);
  // This process has more threads than one.
  expect(hasEnded({ ...readStat("self")!, state: "Z" })).toBe(false);
});

test("the number in the innermost pid namespace", async () => {
  const words = ["unshare", "--pid", "--fork", "sh", "-c", "echo; exec sleep 60"];
  const outer = Bun.spawn(words, { stdout: "pipe", stdin: "ignore", stderr: "ignore" });
  await outer.stdout.getReader().read();
  const [inner] = childrenOf(outer.pid);
  expect(innermostPid(inner!)).toBe(1);
  expect(innermostPid(GONE)).toBeUndefined();
  process.kill(inner!, "SIGKILL");
  await outer.exited;
});
