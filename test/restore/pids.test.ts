/** Numbers that are taken. */
import { expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, renameSync } from "node:fs";
import { join } from "node:path";
import { requestFrom } from "../../src/criu/index.ts";
import { preflight as lookFrom } from "../../src/plan/preflight.ts";
import { link as criuByName, watched } from "../dropin/as-criu.ts";
import { innermostPid } from "../../src/host/processes.ts";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import { compile } from "./stage/compile.ts";
import {
  alive,
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  processOf,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { typed, typedAndStays } from "./typed.ts";
import { bareUnder, reportUnder } from "./under.ts";

test("the number of a task is taken", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
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
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
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

test("a zombie holds its number", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const holder = await start(stage, "zombie-at", [`${pid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").message).toContain("zombie");
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`Can't fork for ${pid}: File exists`);
  await killTree(stage, holder.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

for (const [name, program] of [
  ["recriu restore", () => recriuBinary],
  ["criu restore", criuByName],
] as const)
  test(`${name}: what is about to be reaped is waited for`, async () => {
    await using stage = openStage();
    const { pid } = await start(stage, "sched", ["other", "0", "0"]);
    const images = await dump(stage, pid);
    const holder = await start(stage, "zombie-at", [`${pid}`]);
    const later = `(sleep 0.5; kill -USR1 ${holder.pid}) & exec "$@"`;
    const words = ["restore", "-d", "-D", images, "-o", join(stage.dir, "r.log")];
    const argv = ["sh", "-c", later, "sh", program(stage), ...words];
    const restored = await run(stage, argv, { env: { RECRIU_CRIU: criu } });
    expect(restored).toMatchObject({ exit: 0 });
    await waitFor("the watcher to end", () => !watched(stage));
    expect(alive(pid)).toBe(true);
  });

test("nothing that recriu itself has started counts as somebody's, whatever its number", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const asked = requestFrom(["-D", images, `--criu=${criu}`], {});
  if (!asked.ok) throw new Error("the words are wrong");
  // Here this test is recriu.
  const ready = join(stage.dir, "ready");
  const child = Bun.spawn([compile("at-pid"), ready, `${pid}`]);
  try {
    await waitFor("the number to be taken", () => existsSync(ready));
    const looked = await lookFrom(asked.request, asked.own);
    expect(looked.ok && looked.preflight.findings).toEqual([]);
    expect(blockers(await report(stage, "preflight", images))).toEqual(["pid-in-use"]);
  } finally {
    process.kill(pid, "SIGKILL");
    await child.exited;
  }
});

/** A free number of this machine, and what takes it. */
const takes = (stage: Stage, number: number) => start(stage, "at-pid", [`${number}`]);

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

test("a helper's number: one that CRIU picks from a gap of the images", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["lost-parent"]);
  const [leader, orphan] = descendants(pid).map((task) => task.pid);
  const images = await dump(stage, pid);
  // The helper's end gives the orphan to a subreaper, which the root is not yet again.
  expect(finding(await report(stage, "preflight", images), "adopted-child-lost")).toMatchObject({
    severity: "warning",
    task: orphan,
  });
  const restored = await restoreBare(stage, images);
  expect(restored.exit).toBe(0);
  expect(processOf(leader!)?.ppid).toBe(pid);
  expect(processOf(orphan!)?.ppid).not.toBe(pid);
  await killTree(stage, orphan!);
  await killTree(stage, pid);

  const tolerated = await report(stage, "restore", images);
  expect(tolerated).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(tolerated.verdict!.differences).toMatchObject([
    { facet: "tasks", task: orphan, expected: `parent: ${pid}`, class: "tolerated" },
  ]);
  const picked = /Add a helper (\d+) for restoring SID/.exec(restored.log)![1]!;
  await killTree(stage, orphan!);
  await killTree(stage, pid);
  const taker = await takes(stage, Number(picked));
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").subject).toBe(picked);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  await killTree(stage, taker.pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});

/** In a pid namespace of its own, whose kernel.pid_max is its own too since Linux 6.14. */
const belowPidMax = (limit: number) => (command: string) => [
  "unshare",
  "--pid",
  "--fork",
  "--mount-proc",
  "sh",
  "-c",
  `echo ${limit} >/proc/sys/kernel/pid_max && ${command}; code=$?; cat /proc/sys/kernel/pid_max >&2; exit $code`,
];

test("pid-max: CRIU raises the machine's limit, but not far enough for a number that equals it", async () => {
  await using stage = openStage();
  const limit = () => readFileSync("/proc/sys/kernel/pid_max", "utf8");
  const before = limit();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const high = await reportUnder(stage, belowPidMax(pid - 1), "preflight", images);
  expect(finding(high, "pid-max")).toMatchObject({ severity: "warning", criu_message: null });
  expect(high.exit).toBe(0);
  const raised = await bareUnder(stage, belowPidMax(pid - 1), images);
  expect([raised.exit, raised.stderr.trim()]).toEqual([0, `${pid + 1}`]);
  // A restore that fails leaves it so; recriu sets it back.
  const veto = ["-d", "--action-script", "/bin/false"];
  const failed = await bareUnder(stage, belowPidMax(pid - 1), images, veto);
  expect([failed.exit, failed.stderr.trim().split("\n").at(-1)]).toEqual([1, `${pid + 1}`]);
  const undone = await reportUnder(stage, belowPidMax(pid - 1), "restore", images, veto);
  expect([undone.exit, undone.failure?.left]).toEqual([1, []]);
  expect(undone.stderr.trim().split("\n").at(-1)).toBe(`${pid - 1}`);

  const equal = await reportUnder(stage, belowPidMax(pid), "preflight", images);
  expect(finding(equal, "pid-max")).toMatchObject({ severity: "blocker", task: pid });
  const bare = await bareUnder(stage, belowPidMax(pid), images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(equal, "pid-max").criu_message!);
  const raisedFirst = { under: belowPidMax(pid), thenRestore: true } as const;
  expect((await typed(stage, equal, "pid-max", raisedFirst)).exit).toBe(0);
  const enough = await reportUnder(stage, belowPidMax(pid + 1), "preflight", images);
  expect(enough.findings).toEqual([]);
  expect((await bareUnder(stage, belowPidMax(pid + 1), images)).exit).toBe(0);
  expect(limit()).toBe(before);
});

test("pid-max: a thread above the limit is not looked at by CRIU", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "tree", [stage.dir, "/etc/hostname", `${stage.dir}/log`, "1"]);
  const images = await dump(stage, pid);
  const far = join(stage.dir, "far");
  cpSync(images, far, { recursive: true });
  let largest = 0;
  edit(far, "pstree.img", (entries) => {
    largest = Math.max(...entries.flatMap((entry) => [entry.pid, ...entry.threads.slice(1)])) + 50;
    const leaf = entries.find((entry) => entry.threads.length > 1);
    const core = (tid: number) => join(far, `core-${tid}.img`);
    renameSync(core(leaf.threads[1]), core(largest));
    leaf.threads[1] = largest;
  });
  const preflight = await reportUnder(stage, belowPidMax(largest), "preflight", far);
  expect(finding(preflight, "pid-max")).toMatchObject({
    severity: "blocker",
    subject: `${largest}`,
  });
  const bare = await bareUnder(stage, belowPidMax(largest), far);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-max").criu_message!);
  const options = ["-d"];
  expect((await bareUnder(stage, belowPidMax(largest + 1), far, options)).exit).toBe(0);
});

test("a pid namespace without its init, and pid 1 without its namespace", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const spoiled = join(stage.dir, "spoiled");
  cpSync(images, spoiled, { recursive: true });
  edit(spoiled, "inventory.img", ([inventory]) => (inventory.root_ids.pid_ns_id += 100));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["pid-namespace-init"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-namespace-init").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

const named = (root: number, comm: string): number =>
  descendants(root).find(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === comm)!
    .pid;

test("an external pid namespace has to be handed over", async () => {
  await using stage = openStage();
  const namespace = await start(stage, "pidns-member", []);
  const member = named(namespace.pid, "member");
  const link = readlinkSync(`/proc/${member}/ns/pid`);
  const inode = /\d+/.exec(link)![0];
  const images = await dump(stage, member, ["--external", `pid[${inode}]:other`]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["pid-namespace-external"]);
  const found = finding(preflight, "pid-namespace-external");
  expect(found).toMatchObject({ subject: "other", remedy: { kind: "human" } });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(found.criu_message!);
  const init = named(namespace.pid, "pidns-init");
  const handed = (command: string) => ["bash", "-c", `${command} 5</proc/${init}/ns/pid`];
  const options = ["-d", "--inherit-fd", "fd[5]:other"];
  const given = await reportUnder(stage, handed, "preflight", images, options.slice(1));
  expect(given.findings).toEqual([]);
  const again = await bareUnder(stage, handed, images, options);
  expect(again.exit).toBe(0);
  const restored = descendants(stage.supervisor.pid).find(
    ({ pid, ppid }) => ppid === stage.supervisor.pid && innermostPid(pid) !== pid,
  );
  await killTree(stage, restored!.pid);
  const told = await report(stage, "preflight", images, ["-d"]);
  const done = await typed(stage, told, "pid-namespace-external", { fill: { PID: `${init}` } });
  expect([done.exit, done.stderr]).toEqual([0, expect.anything()]);
});

test("already-running: what holds the numbers is this tree, and nobody is told to end it", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid } = await start(stage, "x11-server", [sockets, join(stage.dir, "progress")]);
  const images = await dump(stage, pid, ["--leave-running"]);
  const running = await report(stage, "preflight", images);
  expect(running.exit).toBe(3);
  expect(blockers(running)).toEqual(["already-running"]);
  expect(JSON.stringify(running.findings)).not.toMatch(/kill|\bend\b|stop process/);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(running, "already-running").criu_message!);
  expect((await typed(stage, running, "already-running")).exit).toBe(0);
  // Neither does a check that was asked for alone take it for a stranger's.
  for (const only of ["pid-in-use", "unix-socket-busy"])
    expect(blockers(await report(stage, "preflight", images, [`--only=${only}`]))).toEqual([
      "already-running",
    ]);

  // A part of it is not it, and neither is a stranger under its number.
  const [child] = descendants(pid).map((task) => task.pid);
  process.kill(child!, "SIGKILL");
  await waitFor("a zombie", () => !alive(child!));
  expect(blockers(await report(stage, "preflight", images))).toContain("pid-in-use");
  await killTree(stage, pid);
  const taker = await takes(stage, pid);
  const taken = await report(stage, "preflight", images);
  expect(blockers(taken)).toEqual(["pid-in-use"]);
  await killTree(stage, taker.pid);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(blockers(await report(stage, "preflight", images))).toEqual(["already-running"]);
});

test("pid-namespace-ends: with -d the init of a pid namespace takes the tree with it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const asInit = ["unshare", "--pid", "--fork", "--mount-proc"];
  const told = await reportUnder(stage, asInit, "preflight", images, ["-d"]);
  expect(blockers(told)).toEqual(["pid-namespace-ends"]);
  // CRIU says that all is well, and nothing is left.
  expect((await bareUnder(stage, asInit, images)).exit).toBe(0);
  expect(descendants(stage.supervisor.pid)).toEqual([]);
  expect((await reportUnder(stage, asInit, "preflight", images, [])).findings).toEqual([]);
  // Its number on this machine is another one.
  const inside = () =>
    descendants(stage.supervisor.pid).find(({ pid: of }) => innermostPid(of) === pid);
  await typedAndStays(stage, told, "pid-namespace-ends", () => inside()?.pid);
});
