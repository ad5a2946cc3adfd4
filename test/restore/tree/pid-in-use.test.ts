import { startDumped } from "../stage/dumped.ts";
import { requestFrom } from "../../../src/criu/index.ts";
import { preflight as lookFrom } from "../../../src/plan/preflight.ts";
import { blockers, finding, report } from "../report.ts";
import {
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  restoreBare,
  run,
  start,
  waitFor,
} from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { typed } from "../typed.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { takes } from "./pids.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

test("the number of a task is taken", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const taker = await start(stage, "at-pid", [`${pid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "pid-in-use")).toMatchObject({
    task: pid,
    subject: `${pid}`,
    image: "pstree.img",
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  const who = await typed(stage, preflight, "pid-in-use");
  expect([who.exit, who.stdout.includes(`${pid} `)]).toEqual([0, true]);
  await killTree(stage, taker.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("the number of a thread is taken", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "tree", [stage.dir, "/etc/hostname", `${stage.dir}/log`, "1"]);
  const leaf = descendants(pid).find((task) => task.state !== "Z")!.pid;
  const tid = readdirSync(`/proc/${leaf}/task`)
    .map(Number)
    .find((number) => number !== leaf)!;
  const images = await dump(stage, pid);
  const taker = await start(stage, "at-pid", [`${tid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use")).toMatchObject({ task: leaf, subject: `${tid}` });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  await killTree(stage, taker.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("a number lives on as the process group of others, without a process of that number", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const holder = await start(stage, "group-of", [`${pid}`]);
  expect(() => process.kill(pid, 0)).toThrow();
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").message).toContain("process group or session of process");
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`Can't fork for ${pid}: File exists`);
  await killTree(stage, holder.pid);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
});

test("a number is taken in the pid namespace that the tree is put into", async () => {
  await using stage = openStage();
  const namespace = await start(stage, "pidns-member", []);
  const called = (comm: string) =>
    descendants(namespace.pid).find(
      ({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === comm,
    )!.pid;
  const [init, member] = [called("pidns-init"), called("member")];
  const inode = /\d+/.exec(readlinkSync(`/proc/${member}/ns/pid`))![0];
  const images = await dump(stage, member, ["--external", `pid[${inode}]:pod`]);
  const handed = (command: string) => ["bash", "-c", `${command} 5</proc/${init}/ns/pid`];
  const options = ["--inherit-fd", "fd[5]:pod"];
  const look = () => reportUnder(stage, handed, "preflight", images, options);
  expect((await look()).findings).toEqual([]);

  const ready = join(stage.dir, "ready");
  const enter = ["nsenter", `--pid=/proc/${init}/ns/pid`];
  void run(stage, [...enter, compile("at-pid"), ready, "77"], { timeout: 60_000 });
  await waitFor("the number to be taken", () => existsSync(ready));
  const told = await look();
  const named = finding(told, "pid-in-use");
  expect(named).toMatchObject({ severity: "blocker", subject: "77", isolate: null });
  const bare = await bareUnder(stage, handed, images, ["-d", ...options]);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);
  const who = await typed(stage, told, "pid-in-use");
  const holder = Number(/^ *(\d+) .* at-pid$/m.exec(who.stdout)![1]);
  expect(named.message).toContain(`process ${holder} of this machine (at-pid)`);
  process.kill(holder, "SIGKILL");
  await waitFor("the number to be free", () => !existsSync(`/proc/${holder}`));
  expect((await reportUnder(stage, handed, "restore", images, ["-d", ...options])).exit).toBe(0);
});

test("a zombie holds its number", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const holder = await start(stage, "zombie-at", [`${pid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").message).toContain("zombie");
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`Can't fork for ${pid}: File exists`);
  await killTree(stage, holder.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("nothing that recriu itself has started counts as somebody's, whatever its number", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const asked = requestFrom(["-D", images, `--criu=${criu}`], {});
  if (!asked.ok) throw new Error("the words are wrong");
  // Here this test is recriu.
  const ready = join(stage.dir, "ready");
  const child = Bun.spawn([compile("at-pid"), ready, `${pid}`]);
  try {
    await waitFor("the number to be taken", () => existsSync(ready));
    const looked = await lookFrom(asked.request, asked.settings);
    expect(looked.ok && looked.preflight.findings).toEqual([]);
    expect(blockers(await report(stage, "preflight", images))).toEqual(["pid-in-use"]);
  } finally {
    process.kill(pid, "SIGKILL");
    await child.exited;
  }
});

test("a helper's number: a dead process whose /proc file is open", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["dead-proc"]);
  const [opened] = readdirSync(`/proc/${pid}/fd`).flatMap(
    (fd) => /^\/proc\/(\d+)\/status/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
  );
  const images = await dump(stage, pid);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  const taker = await takes(stage, Number(opened));
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use")).toMatchObject({
    subject: opened,
    image: "remap-fpath.img",
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  await killTree(stage, taker.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
