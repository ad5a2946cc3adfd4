/** A tree whose numbers are taken, in a pid namespace of its own: what it is, what is said of it, and how it ends. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import {
  alive,
  criu,
  descendants,
  dump,
  openStage,
  processOf,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  running,
  type Stage,
  start,
  undo,
  waitFor,
} from "../stage.ts";
import { programs } from "../typed.ts";

/** A task that was dumped, and somebody else who has its number now. */
async function taken(stage: Stage, workload = "sched", args = ["other", "0", "0"]) {
  const { pid, images } = await startDumped(stage, workload, args);
  await start(stage, "at-pid", [`${pid}`]);
  return { pid, images };
}

const insideOf = (pid: number): number =>
  Number(/^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

const nothingOfIt = (stage: Stage) =>
  waitFor("all of it to be gone", () =>
    ["recriu-init", "criu", "recriu", "sched"].every((name) => running(stage, name).length === 0),
  );

test("what blocks says that a namespace answers it, and the command of the plan restores", async () => {
  await using stage = openStage();
  const { pid, images } = await taken(stage);
  const bare = await restoreBare(stage, images);
  expect([bare.exit, bare.log.includes(`Can't fork for ${pid}: File exists`)]).toEqual([1, true]);
  const blocked = await report(stage, "restore", images);
  expect([blocked.exit, blockers(blocked)]).toEqual([3, ["pid-in-use"]]);
  expect(finding(blocked, "pid-in-use").isolate).toBe("pid");
  const told = await recriu(stage, ["restore", "-d", "-D", images]);
  const command =
    /^blocked; nothing was touched; (recriu restore .* --isolate=pid) would restore it$/m.exec(
      told.stderr,
    )?.[1];
  expect(command).toBe(blocked.plan.would_restore!.command);
  const env = { PATH: `${programs(stage)}:${process.env["PATH"]}`, RECRIU_CRIU: criu };
  const typed = await run(stage, ["sh", "-c", command!], { env });
  expect(typed.exit).toBe(0);
  const [outside] = running(stage, "sched");
  expect(insideOf(outside!)).toBe(pid);
  expect(typed.stderr).toContain(`restored as ${outside}, inside ${pid}, in `);
  expect(readlinkSync(`/proc/${outside}/ns/pid`)).not.toBe(readlinkSync("/proc/self/ns/pid"));
});

for (const option of ["--isolate", "--isolate=auto", "--isolate=pid", "--isolate=pid,mount"])
  test(`${option}: verified by its inner numbers, from outside; recriu leaves, the init stays`, async () => {
    await using stage = openStage();
    const { pid, images } = await taken(stage);
    const pidfile = join(stage.dir, "pidfile");
    const done = await report(stage, "restore", images, [option, "--pidfile", pidfile]);
    expect(done.exit).toBe(0);
    expect(finding(done, "pid-in-use").remedy).toMatchObject({
      kind: "isolate",
      command: "--isolate=pid",
    });
    expect(done.plan).toMatchObject({ outcome: "ready", isolate: ["pid", "mount"] });
    expect(done.verdict).toMatchObject({ result: "match", not_compared: 0, differences: [] });
    const root = done.run!.pid!;
    expect([insideOf(root), done.run!.pid_inside]).toEqual([pid, pid]);
    expect(readFileSync(pidfile, "utf8")).toBe(`${root}`);
    const [init] = running(stage, "recriu-init");
    expect(descendants(init!).map((each) => each.pid)).toEqual([root]);
    // Its own /proc has its own numbers, and no others.
    const seen = await run(stage, ["nsenter", "-t", `${root}`, "-p", "-m", "ls", "/proc"]);
    const numbers = seen.stdout.split("\n").filter((name) => /^\d+$/.test(name));
    // The third is that of `ls`.
    expect([numbers.length, numbers.includes("1"), numbers.includes(`${pid}`)]).toEqual([
      3,
      true,
      true,
    ]);
    const compared = await recriu(stage, ["verify", "-D", images, "--json"]);
    expect(compared.exit).toBe(0);
    expect(JSON.parse(compared.stdout)).toMatchObject({ pid: root, pid_inside: pid });
    // It ends with the tree, and with its code.
    process.kill(root, "SIGTERM");
    await nothingOfIt(stage);
  });

test("auto takes nothing where nothing is in the way", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const done = await report(stage, "restore", images, ["--isolate"]);
  expect([done.exit, done.plan.isolate, done.run]).toMatchObject([
    0,
    [],
    { pid, pid_inside: null },
  ]);
});

test("who signals the init signals the tree; who kills it ends the tree", async () => {
  await using stage = openStage();
  const { images } = await taken(stage);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const done = await report(stage, "restore", images, ["--isolate=pid"]);
    expect(done.exit).toBe(0);
    const [init] = running(stage, "recriu-init");
    // What the tree itself sends to its first process is not meant for the tree.
    const inside = ["nsenter", "-t", `${init}`, "-p", "sh", "-c", "kill -TERM 1; kill -KILL 1"];
    expect((await run(stage, inside)).exit).toBe(0);
    await Bun.sleep(200);
    expect(alive(done.run!.pid!)).toBe(true);
    process.kill(init!, signal);
    await waitFor("the tree to have ended", () => !alive(done.run!.pid!));
    await nothingOfIt(stage);
  }
});

test("attached: recriu stays until the tree ends; of a CRIU that is killed then the tree goes on, as ever", async () => {
  await using stage = openStage();
  const { images } = await taken(stage);
  const attach = async (name: string) => {
    const err = join(stage.dir, name);
    const words = ["restore", "-D", images, "--isolate=pid", "-o", join(stage.dir, "r.log")];
    const argv = ["env", `RECRIU_CRIU=${criu}`, recriuBinary, ...words];
    const child = await stage.supervisor.spawn(argv, { cwd: stage.dir, stderr: err });
    await waitFor("the tree to run", () => {
      const [root] = running(stage, "sched");
      const told = existsSync(err) && readFileSync(err, "utf8").includes("verified");
      return told && root !== undefined && processOf(root)?.state === "S";
    });
    return { child, root: running(stage, "sched")[0]!, err };
  };
  const first = await attach("first");
  process.kill(first.root, "SIGTERM");
  expect(await first.child.exited).toBe(0);
  expect(readFileSync(first.err, "utf8")).toContain("the tree ended: ");
  await nothingOfIt(stage);
  const second = await attach("second");
  process.kill(running(stage, "criu")[0]!, "SIGKILL");
  expect(await second.child.exited).toBe(137);
  expect(alive(second.root)).toBe(true);
  process.kill(second.root, "SIGTERM");
  await nothingOfIt(stage);
});

test("--leave-stopped, --exec-cmd", async () => {
  await using stage = openStage();
  const { images } = await taken(stage);
  const stopped = await report(stage, "restore", images, ["--isolate=pid", "--leave-stopped"]);
  expect(stopped.exit).toBe(0);
  await waitFor("the tree to be stopped", () => processOf(stopped.run!.pid!)?.state === "T");
  process.kill(stopped.run!.pid!, "SIGKILL");
  await nothingOfIt(stage);
  const words = ["restore", "-D", images, "--isolate=pid", "--exec-cmd", "--"];
  const done = await recriu(stage, [...words, "sh", "-c", "exit 7"]);
  expect(done.exit).toBe(7);
  const [root] = running(stage, "sched");
  process.kill(root!, "SIGKILL");
  await nothingOfIt(stage);
});

test("images are edited for it, too", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["fifo", "9", "0"]);
  edit(images, `core-${pid}.img`, ([core]) => {
    delete core.thread_core.sched_prio;
  });
  await start(stage, "at-pid", [`${pid}`]);
  const done = await report(stage, "restore", images, ["--isolate", "--sched-prio=5"]);
  expect([done.exit, done.plan.edits.length, done.plan.isolate]).toEqual([0, 1, ["pid", "mount"]]);
  const said = await run(stage, ["chrt", "-p", `${done.run!.pid}`]);
  expect(said.stdout).toContain("priority: 5");
});

test("a tree that is not the saved one is ended, all of it, and what was done is taken back", async () => {
  await using stage = openStage();
  const { images } = await taken(stage);
  const meddler = join(stage.dir, "meddler");
  await Bun.write(
    meddler,
    '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != pre-resume ] || prlimit --pid "$CRTOOLS_INIT_PID" --nofile=77:77\n',
  );
  await run(stage, ["chmod", "755", meddler]);
  const done = await report(stage, "restore", images, [
    "--isolate=pid",
    "--action-script",
    meddler,
    "-o",
    join(stage.dir, "r.log"),
  ]);
  expect([done.exit, done.verdict?.result, done.failure?.left]).toEqual([5, "mismatch", []]);
  await nothingOfIt(stage);
  expect((await undo(stage)).exit).toBe(0);
});

test("beside the tree that runs: a second one, and it is said", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "sched", ["other", "0", "0"], {
    dump: ["--leave-running"],
  });
  const blocked = await report(stage, "preflight", images);
  expect(blockers(blocked)).toEqual(["already-running"]);
  expect(blocked.plan.would_restore?.isolate).toEqual(["pid"]);
  const done = await report(stage, "restore", images, ["--isolate"]);
  expect(done.exit).toBe(0);
  expect(finding(done, "already-running")).toMatchObject({ severity: "warning", isolate: null });
  expect(running(stage, "sched").length).toBe(2);
});

test("a small number is nobody's inside, whatever the init and CRIU are given", async () => {
  await using stage = openStage();
  for (const number of [301, 302, 303]) {
    if (processOf(number) !== null) continue;
    await start(stage, "at-pid", [`${number}`]);
    const images = await dump(stage, number, ["--shell-job"]);
    await start(stage, "at-pid", [`${number}`]);
    const done = await report(stage, "restore", images, ["-j", "--isolate=pid"]);
    expect([done.exit, done.run?.pid_inside]).toEqual([0, number]);
  }
});
