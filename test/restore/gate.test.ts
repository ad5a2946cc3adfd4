/** What the gate lets through, and what is left when it does not. */
import { removeCgroup } from "./stage/cgroups.ts";
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finding, report } from "./report.ts";
import {
  alive,
  criu,
  descendants,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  makeDoomedCgroup,
  openStage,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  start,
  undo,
  waitFor,
} from "./stage.ts";
import { dumpX11 } from "./x11.ts";

/** Of a new cgroup v1 the real-time budget is 0 (CONFIG_RT_GROUP_SCHED): the kernel refuses real-time policies there. */
const cpu = hierarchies().find((hierarchy) => hierarchy.controllers.includes("cpu"));
const rationed = cpu !== undefined && existsSync(join(cpu.mount, "cpu.rt_runtime_us"));

// Needs a kernel that rations real time by cgroup; the next test stages another loss, on any kernel.
test.skipIf(!rationed)(
  "real-time scheduling that CRIU silently loses is found, and the tree does not run",
  async () => {
    await using stage = openStage();
    const sockets = join(stage.dir, "sockets");
    const { pid } = await start(stage, "x11-server", [sockets, join(stage.dir, "progress")]);
    const tasks = [pid, ...descendants(pid).map((task) => task.pid)];
    const images = await dump(stage, pid);
    const cgroup = makeCgroup(stage, cpu!, "rationed");
    const within = ["sh", "-c", `echo $$ >${cgroup}/cgroup.procs && exec "$@"`, "sh"];

    const bare = await run(stage, [
      ...within,
      criu,
      "restore",
      "-d",
      "-D",
      images,
      "-o",
      "/dev/null",
    ]);
    expect(bare.exit).toBe(0);
    await killTree(stage, pid);
    rmSync(sockets, { recursive: true });

    const words = [recriuBinary, "restore", "-d", "-D", images, "--json", `--criu=${criu}`];
    const gated = await run(stage, [...within, ...words]);
    expect(gated.exit).toBe(5);
    const { verdict, run: criuRun, failure } = JSON.parse(gated.stdout);
    expect(verdict.result).toBe("mismatch");
    expect(verdict.differences[0]).toMatchObject({
      facet: "scheduling",
      class: "fatal",
      found: "SCHED_OTHER",
    });
    expect(criuRun.pid).toBeNull();
    expect(failure.left).toEqual([]);
    expect(tasks.filter(alive)).toEqual([]);
    expect(existsSync(sockets)).toBe(false);

    const reported = await run(stage, [...within, ...words, "--verify=report"]);
    expect(reported.exit).toBe(5);
    expect(tasks.filter(alive)).toEqual(tasks);
    await killTree(stage, pid);
    expect((await run(stage, [...within, ...words, "--verify=off"])).exit).toBe(0);
  },
);

test("what can be set from outside is set again, and said", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["fifo", "40", "-5", "reset"]);
  const unset =
    "chrt -o -p 0 $pid; renice -n 7 -p $pid; prlimit --pid $pid --nofile=55:; echo 3 >/proc/$pid/oom_score_adj";
  const script = join(stage.dir, "script");
  writeFileSync(
    script,
    `#!/bin/sh\npid=$CRTOOLS_INIT_PID\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || { ${unset}; }\n`,
  );
  chmodSync(script, 0o755);
  const restored = await report(stage, "restore", images, ["--action-script", script]);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const said = restored.verdict!.differences.map((each) => `${each.class} ${each.facet}`);
  expect(new Set(said)).toEqual(new Set(["mended scheduling", "mended limits", "mended process"]));
  const { stdout } = await run(stage, ["chrt", "-p", `${pid}`]);
  expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK");
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")).toBe("0\n");
  expect(await report(stage, "preflight", images)).toMatchObject({ exit: 3 });
});

for (const point of ["post-restore", "pre-resume"]) {
  test(`a tree that a script has changed at ${point} is not the saved one`, async () => {
    await using stage = openStage();
    const words = [stage.dir, "/etc/hostname", `${stage.dir}/log`, "2"];
    const { pid, images } = await startDumped(stage, "tree", words);
    const script = join(stage.dir, "script");
    const spoil = "pkill -9 -P $CRTOOLS_INIT_PID leaf-1";
    writeFileSync(
      script,
      `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != ${point} ] || { ${spoil}; sleep 0.1; }\n`,
      { mode: 0o755 },
    );
    const gated = await report(stage, "restore", images, ["--action-script", script]);
    expect(gated).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
    expect(gated.verdict!.differences[0]).toMatchObject({ facet: "tasks", found: "zombie" });
    expect(alive(pid)).toBe(false);
  });
}

test("what is settled at post-restore is compared while CRIU works on, and decides at the last point", async () => {
  await using stage = openStage();
  const log = join(stage.dir, "log");
  const { pid, images } = await startDumped(stage, "tree", [stage.dir, "/etc/hostname", log, "2"]);
  const script = join(stage.dir, "script");
  const rename = `[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || mv ${log} ${log}.late`;
  writeFileSync(script, `#!/bin/sh\n${rename}\n`, { mode: 0o755 });
  const words = ["--action-script", script, "-v4", "-W", stage.dir, "-o", "criu.log"];
  const gated = await report(stage, "restore", images, words);
  expect(gated).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
  const { differences } = gated.verdict!;
  expect(new Set(differences.map(({ facet }) => facet))).toEqual(new Set(["descriptors"]));
  expect(readFileSync(join(stage.dir, "criu.log"), "utf8")).toContain("Running pre-resume scripts");
  expect(alive(pid)).toBe(false);
});

test("when CRIU fails, its first cause is explained and the repairs are undone", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid, images } = await startDumped(stage, "x11-server", [
    sockets,
    join(stage.dir, "progress"),
  ]);
  rmSync(sockets, { recursive: true });
  const taker = await start(stage, "at-pid", [`${pid}`]);
  const failed = await report(stage, "restore", images, ["--ignore=pid-in-use"]);
  expect(finding(failed, "pid-in-use").severity).toBe("warning");
  expect(failed).toMatchObject({ exit: 1, verdict: null, run: { criu_exit: 1 } });
  expect(failed.failure).toMatchObject({ line: `Can't fork for ${pid}: File exists`, left: [] });
  expect(failed.failure!.cause).toContain(`the number ${pid} is in use`);
  expect(existsSync(sockets)).toBe(false);
  expect(alive(taker.pid)).toBe(true);
});

test("what CRIU itself leaves after a failure is taken back: sockets, cgroups", async () => {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);
  if (doomed === null) throw new Error("cgroup v2 is not mounted");
  const { images, sockets } = await dumpX11(stage, [doomed.cgroup]);
  rmSync(join(sockets, "X7"));
  doomed.spoil();
  const words = ["--manage-cgroups=soft", "--ignore=cgroup-missing"];
  expect((await restoreBare(stage, images)).exit).toBe(1);
  expect(existsSync(doomed.cgroup)).toBe(true);
  removeCgroup(doomed.cgroup);
  const failed = await report(stage, "restore", images, words);
  expect(failed).toMatchObject({ exit: 1, failure: { left: [] } });
  expect(existsSync(doomed.cgroup)).toBe(false);

  // A script's veto comes after the sockets are bound.
  const script = join(stage.dir, "script");
  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n");
  chmodSync(script, 0o755);
  const veto = ["--manage-cgroups=ignore", "--action-script", script];
  expect((await restoreBare(stage, images, veto)).exit).toBe(1);
  expect(existsSync(join(sockets, "X7"))).toBe(true);
  rmSync(join(sockets, "X7"));
  expect((await report(stage, "restore", images, veto)).exit).toBe(1);
  expect(existsSync(sockets)).toBe(true);
  expect(existsSync(join(sockets, "X7"))).toBe(false);
});

test("the user's own action scripts still run, in their order", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["fifo", "99", "0", "reset"]);
  const seen = join(stage.dir, "seen");
  const script = join(stage.dir, "script");
  writeFileSync(script, `#!/bin/sh\necho $CRTOOLS_SCRIPT_ACTION $CRTOOLS_INIT_PID >>${seen}\n`);
  chmodSync(script, 0o755);
  expect(await report(stage, "restore", images, ["--action-script", script])).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
  const actions = readFileSync(seen, "utf8").trim().split("\n");
  expect(actions).toContain(`post-restore ${pid}`);
  expect(actions.at(-1)).toBe(`post-resume ${pid}`);

  await killTree(stage, pid);
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n`);
  const refused = await report(stage, "restore", images, ["--action-script", script]);
  expect(refused.exit).toBe(1);
  expect(alive(pid)).toBe(false);
});

test("attached: recriu stays until the tree ends, and a signal ends it", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "5"]);
  const log = join(stage.dir, "r.log");
  const attached = recriu(stage, ["restore", "-D", images, "-v4", "-o", log]);
  await waitFor(
    "the tree to run",
    () => existsSync(log) && readFileSync(log, "utf8").includes("Tasks resumed"),
  );
  await killTree(stage, pid);
  const { exit, stderr } = await attached;
  expect(exit).toBe(0);
  expect(stderr).toContain("verified");
});

test("a killed recriu: CRIU does not let the tree run, and undo finishes", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid, images } = await startDumped(stage, "x11-server", [
    sockets,
    join(stage.dir, "progress"),
  ]);
  rmSync(sockets, { recursive: true });
  // The user's script kills recriu, CRIU's parent, when every task exists; recriu's own script comes after it.
  const script = join(stage.dir, "script");
  writeFileSync(
    script,
    `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION = post-restore ] && kill -9 $(awk '{print $4}' /proc/$PPID/stat)\nexit 0\n`,
  );
  chmodSync(script, 0o755);
  const killed = await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
  expect(killed.exit).toBe(137);
  await waitFor("CRIU to give up", () => !alive(pid));
  expect(existsSync(sockets)).toBe(true);
  const undone = await undo(stage);
  expect(undone).toMatchObject({ exit: 0 });
  expect(undone.stderr).toContain(images);
  expect(existsSync(sockets)).toBe(false);
  expect((await undo(stage)).stderr).toContain("nothing to undo");
  expect((await restoreBare(stage, images)).exit).toBe(1);
});
