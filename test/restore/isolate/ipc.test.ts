/** System V objects and a host name of the tree's own. What CRIU takes of either is in a namespace of the tree's, and comes back in one. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { report } from "../report.ts";
import { dump, openStage, recriu, restoreBare, run, running, start, waitFor } from "../stage.ts";

const IPC = "8000000";
const UTS = "4000000";

test("System V ids that are taken here are no other's inside, with and without isolation", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["unshare", IPC]);
  const enter = (of: number) => ["nsenter", "-t", `${of}`, "-i"];
  const made = await run(stage, [...enter(pid), "ipcmk", "-S", "1", "-M", "4096", "-Q"]);
  expect(made.exit).toBe(0);
  const saved = (await run(stage, [...enter(pid), "ipcs"])).stdout;
  const images = await dump(stage, pid);
  const here = await run(stage, ["ipcmk", "-S", "1"]);
  const id = /id: (\d+)/.exec(here.stdout)![1]!;
  try {
    for (const options of [[], ["--isolate=ipc"]]) {
      const done = await report(stage, "restore", images, options);
      expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
      const root = done.run!.pid!;
      expect((await run(stage, [...enter(root), "ipcs"])).stdout).toBe(saved);
      process.kill(root, "SIGKILL");
      await waitFor("the tree to end", () => running(stage, "kernel").length === 0);
    }
  } finally {
    await run(stage, ["ipcrm", "-s", id]);
  }
});

test("a tree that had this machine's has its own: what it makes, and calls itself, nobody else sees", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const done = await report(stage, "restore", images, ["--isolate=ipc,uts"]);
  expect([done.exit, done.plan.isolate, done.verdict?.result]).toEqual([
    0,
    ["pid", "mount", "ipc", "uts"],
    "match",
  ]);
  const root = done.run!.pid!;
  for (const kind of ["ipc", "uts"])
    expect(readlinkSync(`/proc/${root}/ns/${kind}`)).not.toBe(
      readlinkSync(`/proc/self/ns/${kind}`),
    );
  const before = readFileSync("/proc/sys/kernel/hostname", "utf8");
  const renamed = await run(stage, ["nsenter", "-t", `${root}`, "-u", "hostname", "recriu-test"]);
  expect([renamed.exit, readFileSync("/proc/sys/kernel/hostname", "utf8")]).toEqual([0, before]);
  expect((await recriu(stage, ["verify", "-D", images])).exit).toBe(0);
  process.kill(root, "SIGKILL");
  await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
});

test("a host name of the tree's own comes back in it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["unshare", UTS]);
  const name = (of: number) => ["nsenter", "-t", `${of}`, "-u", "hostname"];
  await run(stage, [...name(pid), "recriu-test"]);
  const images = await dump(stage, pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  process.kill(pid, "SIGKILL");
  await waitFor("the tree to end", () => running(stage, "kernel").length === 0);
  const done = await report(stage, "restore", images, ["--isolate=uts"]);
  expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
  expect((await run(stage, name(done.run!.pid!))).stdout.trim()).toBe("recriu-test");
  process.kill(done.run!.pid!, "SIGKILL");
});
