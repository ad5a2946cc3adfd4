import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { dumpServer } from "../sockets.ts";
import { killTree, openStage, restoreBare, run, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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

test("unix-socket-busy: a server that was bound by a relative name is known by its file", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a");
  const { pid, images } = await startDumped(stage, "objects", ["listen", name]);
  rmSync(name);
  const other = await start(stage, "objects", ["listen", "a"], { cwd: stage.dir });
  const told = await report(stage, "preflight", images);
  const busy = finding(told, "unix-socket-busy");
  expect(busy).toMatchObject({ severity: "blocker", subject: name, criu_message: null });
  expect(busy.remedy.command).toBe(`kill ${other.pid}`);
  // Bare CRIU takes the name away from it, and says nothing.
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  expect((await typed(stage, told, "unix-socket-busy")).exit).toBe(0);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
});

for (const [what, objects] of [
  ["an accepted connection", (name: string) => ["accepted", name]],
  ["a deleted socket", (name: string) => ["dgram", name, "unlink", name]],
] as const) {
  test(`unix-socket-busy: ${what} makes CRIU remove the file of a live server`, async () => {
    await using stage = openStage();
    const name = join(stage.dir, "a");
    const { pid, images } = await startDumped(stage, "objects", objects(name));
    rmSync(name, { force: true });
    const other = await start(stage, "objects", ["listen", name]);
    const before = await report(stage, "preflight", images);
    expect(blockers(before)).toEqual(["unix-socket-busy"]);
    expect(finding(before, "unix-socket-busy").subject).toBe(name);
    expect((await run(stage, ["test", "-S", name])).exit).toBe(0);
    expect((await restoreBare(stage, images)).exit).toBe(0);
    expect((await run(stage, ["test", "-e", name])).exit).toBe(1);
    await killTree(stage, pid);
    await killTree(stage, other.pid);
    expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  });
}
