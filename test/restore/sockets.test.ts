/** Sockets whose names belong to somebody else by now. */
import { expect, test } from "bun:test";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finding, report } from "./report.ts";
import { dump, killTree, openStage, restoreBare, type Stage, start } from "./stage.ts";

async function dumpServer(stage: Stage) {
  const sockets = join(stage.dir, "sockets");
  const args = [sockets, join(stage.dir, "progress")];
  const { pid } = await start(stage, "x11-server", args);
  return { pid, sockets, path: join(sockets, "X7"), args, images: await dump(stage, pid) };
}

const listening = (name: string) =>
  readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => line.endsWith(` ${name}`) && line.includes("00010000"));

test("a live server at the path: bare CRIU takes its name away, recriu stops before", async () => {
  await using stage = openStage();
  const { pid, sockets, path, args, images } = await dumpServer(stage);
  rmSync(sockets, { recursive: true });
  const other = await start(stage, "x11-server", args);

  const before = await report(stage, "restore", images);
  expect(before).toMatchObject({ exit: 3, run: null });
  const busy = before.findings.filter((entry) => entry.id === "unix-socket-busy");
  expect(busy.map((entry) => entry.subject).sort()).toEqual([path, `@${path}`].sort());
  expect(busy.find((entry) => entry.subject === path)!.criu_message).toBeNull();
  expect(listening(path)).toBe(true);

  // The abstract name makes CRIU fail, with the message that was foretold, but the file is gone by then.
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(busy.find((entry) => entry.subject === `@${path}`)!.criu_message!);

  await killTree(stage, other.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
});

test("the stale socket of a dead server is no finding", async () => {
  await using stage = openStage();
  const { images } = await dumpServer(stage);
  const preflight = await report(stage, "preflight", images);
  expect(preflight).toMatchObject({
    exit: 0,
    findings: [{ id: "sched-reset-on-fork", severity: "info" }],
  });
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("something that is no socket stands at the path", async () => {
  await using stage = openStage();
  const { path, images } = await dumpServer(stage);
  renameSync(path, `${path}.old`);
  writeFileSync(path, "mine");
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(3);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-socket-busy").criu_message!);
  expect(readFileSync(path, "utf8")).toBe("mine");
});
