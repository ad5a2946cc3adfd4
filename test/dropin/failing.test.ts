/** As criu, and under a runtime: what is taken back, what `recriu undo` tells, and a CRIU before 3.19, which does not ask. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { everythingOn } from "../restore/nothing-left.ts";
import { is317, isBefore42, losesPriorities } from "../restore/criu.ts";
import { dumpByOld, hasOldCriu, oldCriu, scriptAt } from "../restore/shadow.ts";
import {
  alive,
  criu,
  killTree,
  makeDoomedCgroup,
  openStage,
  recriu,
  run,
  type Stage,
  start,
  undo,
  waitFor,
} from "../restore/stage.ts";
import { dumpX11 } from "../restore/x11.ts";
import { recriuBinary } from "../built.ts";
import { asCriu, link, watched } from "./as-criu.ts";
import { ask, restore } from "./rpc.ts";

/** Words of a script that kill the watcher of this stage: in its mount namespace, of this tree's program. */
const killWatcher = `for file in $(grep -lsxF recriu-watcher /proc/[0-9]*/comm); do
  dir=\${file%/comm}
  [ "$(readlink $dir/exe)" = "$RECRIU_BINARY" ] || continue
  [ "$(readlink $dir/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] && kill -9 \${dir#/proc/}
done; true`;

const verifyOf = (text: string) =>
  /recriu verify -D \S+ --pid \d+/.exec(text)?.[0].split(" ").slice(1);

/** A dumped tree whose socket's directory is gone, on a stage with processes of recriu's that are its own. */
async function spoiled(stage: Stage) {
  const dumped = await dumpX11(stage, []);
  rmSync(dumped.sockets, { recursive: true });
  return dumped;
}

const killing = (stage: Stage, point: string) =>
  scriptAt(stage, point, killWatcher.replaceAll("$RECRIU_BINARY", recriuBinary));

// Before 4.0 CRIU loses a flag of the tree, which the watcher would set again.
test.skipIf(losesPriorities)(
  "a watcher killed at the last point: CRIU lets the tree run, and undo tells of it",
  async () => {
    await using stage = openStage({ ownState: true });
    const { images, sockets, tasks } = await spoiled(stage);
    const words = [
      "restore",
      "-dD",
      images,
      "-o",
      "r.log",
      "--action-script",
      killing(stage, "pre-resume"),
    ];
    expect((await asCriu(stage, words)).exit).toBe(0);
    expect(tasks.every(alive)).toBe(true);
    const told = await undo(stage);
    expect(told.exit).toBe(1);
    expect(told.stderr).toMatch(/the tree of process \d+ runs, compared in its structure only/);
    expect(await recriu(stage, verifyOf(told.stderr)!)).toMatchObject({ exit: 0 });
    expect(existsSync(join(sockets, "X7"))).toBe(true);
  },
);

// For a CRIU before 3.19, which a runtime's request cannot hold at the gate, recriu edits no images.
test.skipIf(is317)("the same under a runtime", async () => {
  await using stage = openStage({ ownState: true });
  const { images, tasks } = await spoiled(stage);
  const config = join(stage.dir, "config");
  writeFileSync(config, `action-script ${killing(stage, "pre-resume")}\n`);
  const { answer } = await ask(stage, images, restore({ config_file: config }));
  expect(answer).toMatchObject({ success: true });
  expect(tasks.every(alive)).toBe(true);
  const told = await undo(stage);
  expect([told.exit, told.stderr]).toEqual([
    1,
    expect.stringMatching(/the tree of process \d+ runs/),
  ]);
});

test("^C before the tree runs: CRIU ends by it, and what was prepared is taken back", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets } = await spoiled(stage);
  const before = everythingOn(stage);
  const script = scriptAt(stage, "post-restore", "kill -INT 0; sleep 0.5");
  const words = ["restore", "-D", images, "-o", "r.log", "--action-script", script];
  const argv = ["setsid", "-w", link(stage), ...words];
  const done = await run(stage, argv, { env: { RECRIU_CRIU: criu } });
  await waitFor("the watcher to end", () => !watched(stage));
  expect(done.exit).not.toBe(0);
  expect(existsSync(sockets)).toBe(false);
  // The watcher is reaped by the stage.
  await waitFor("nothing to be left", () => Bun.deepEquals(everythingOn(stage), before));
});

test("while CRIU works the watcher holds nothing of what was given to it, and has a session of its own", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "kernel", ["owner"]);
  const [seen, given] = [join(stage.dir, "seen"), join(stage.dir, "given")];
  writeFileSync(given, "");
  const look = `for comm in $(grep -lsxF recriu-watcher /proc/[0-9]*/comm); do dir=\${comm%/comm}
    [ "$(readlink $dir/cwd)" = ${stage.dir} ] || continue
    cut -d' ' -f6 $dir/stat; readlink $dir/fd/*; done >${seen}; true`;
  const words = ["restore", "-dD", images, "-o", "r.log", "--action-script"];
  const script = scriptAt(stage, "post-restore", look);
  const enter = `cd ${stage.dir}; exec "$@" 9>${given} <${given} >>${given}`;
  const argv = ["sh", "-c", enter, "sh", link(stage), ...words, script];
  expect(await run(stage, argv, { env: { RECRIU_CRIU: criu } })).toMatchObject({ exit: 0 });
  await waitFor("the watcher to end", () => !watched(stage));
  const [session, ...files] = readFileSync(seen, "utf8").trim().split("\n");
  expect(Number(session)).not.toBe(Number(readFileSync("/proc/self/stat", "utf8").split(" ")[5]));
  expect(files.slice(0, 2)).toEqual(["/dev/null", "/dev/null"]);
  expect(files).not.toContain(given);
});

test("what was started is killed while recriu looks: CRIU does not run, and nothing is left", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets } = await spoiled(stage);
  const before = everythingOn(stage);
  const [slow, ran] = [join(stage.dir, "slow"), join(stage.dir, "ran")];
  const says = `case "$*" in *--version*) kill $(cat pid); echo Version: 4.1.1; exit ;; esac; echo >${ran}`;
  writeFileSync(slow, `#!/bin/sh\ncd ${stage.dir}; ${says}\n`, { mode: 0o755 });
  const words = ["restore", "-dD", images, "-o", "r.log"];
  const by = `cd ${stage.dir}; sh -c 'echo $$ >pid; exec "$@"' sh "$@" || code=$?; rm slow pid; exit $code`;
  const argv = ["sh", "-c", by, "sh", link(stage), ...words];
  const done = await run(stage, argv, { env: { RECRIU_CRIU: slow } });
  await waitFor("recriu to end", () => !watched(stage));
  expect([done.exit, done.stderr]).toEqual([128 + 15, expect.not.stringContaining("recriu")]);
  expect([existsSync(ran), existsSync(sockets)]).toEqual([false, false]);
  await waitFor("nothing to be left", () => Bun.deepEquals(everythingOn(stage), before));
});

// Images of 4.2 and later it finds no page in.
test.skipIf(!hasOldCriu || !isBefore42)(
  "what was edited is set right with RECRIU_VERIFY=off, too, and before the command of --exec-cmd",
  async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage, "sched", ["fifo", "99", "0", "reset"]);
    // It does not know the flag: recriu strips it, and sets it again at the gate.
    const env = { RECRIU_VERIFY: "off", RECRIU_CRIU: oldCriu(stage) };
    for (const more of [["-d"], ["--exec-cmd", "--", "true"]]) {
      const words = ["restore", "-D", images, "-o", "r.log", ...more];
      const done = await asCriu(stage, words, { env });
      expect(done).toMatchObject({ exit: 0, stderr: "" });
      const { stdout } = await run(stage, ["chrt", "-p", `${pid}`]);
      expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK");
      await killTree(stage, pid);
    }
  },
);

test("no journal can be kept: nothing is repaired, and CRIU is not started", async () => {
  await using stage = openStage();
  const { images, sockets } = await spoiled(stage);
  const hide = 'mount -t tmpfs -o ro none /run && exec "$@"';
  const words = [link(stage), "restore", "-dD", images, "-o", "r.log"];
  const done = await run(stage, ["unshare", "-m", "sh", "-c", hide, "sh", ...words], {
    env: { RECRIU_CRIU: criu },
  });
  await waitFor("the watcher to end", () => !watched(stage));
  expect([done.exit, done.stderr]).toEqual([1, expect.stringContaining("no journal can be kept")]);
  expect(existsSync(sockets)).toBe(false);
});

test("what cannot be taken back after a failure is told", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets } = await spoiled(stage);
  const script = scriptAt(stage, "post-restore", `echo >${sockets}/theirs; exit 1`);
  const words = ["restore", "-dD", images, "-o", "r.log", "--action-script", script];
  const done = await asCriu(stage, words);
  expect(done.exit).toBe(1);
  expect(done.stderr).toContain(`${sockets}: in use by now; left alone`);
});

/** The real CRIU, which says that it is 3.18: one that runs no script beside a runtime's. */
function before319(stage: Stage): string {
  const path = join(stage.dir, "criu-3.18");
  const says = `case "$*" in *--version*) echo Version: 3.18; exit ;; esac; exec ${criu} "$@"`;
  writeFileSync(path, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  return path;
}

test("CRIU before 3.19 under a runtime: repaired, not gated; what waits for the gate is refused", async () => {
  await using stage = openStage();
  const env = { RECRIU_CRIU: before319(stage), RECRIU_IGNORE: "criu-too-old,breakpoints-missing" };
  const socket = join(stage.dir, "sockets/socket");
  mkdirSync(dirname(socket));
  const { pid, images } = await startDumped(stage, "objects", ["listen", socket]);
  rmSync(dirname(socket), { recursive: true });
  const done = await ask(stage, images, restore(), { env });
  expect(done.answer).toMatchObject({ success: true });
  expect(existsSync(socket)).toBe(true);
  expect(done.log).not.toMatch(/\[\/proc\/\d+\/fd\/\d+\]|verified: /);
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);
  const dedup = await ask(stage, images, restore({ auto_dedup: true }), { env });
  expect(dedup.answer).toMatchObject({ success: false });
  expect(dedup.answer!.cr_errmsg).toContain("--auto-dedup waits for a tree that runs");
});

test.skipIf(!hasOldCriu)(
  "images of CRIU 3.17 for one before 3.19: edited only as criu itself",
  async () => {
    await using stage = openStage();
    const env = {
      RECRIU_CRIU: before319(stage),
      RECRIU_IGNORE: "criu-too-old,breakpoints-missing",
    };
    const sched = await start(stage, "sched", ["fifo", "99", "0", "reset"]);
    const old = await dumpByOld(stage, sched.pid);
    const edited = await ask(stage, old, restore(), { env });
    expect(edited.answer).toMatchObject({ success: false });
    expect(edited.answer!.cr_errmsg).toContain(
      "images are only edited for a CRIU that can be held",
    );
    // As criu itself it is asked: its own command line has the script.
    const words = ["restore", "-dD", old, "-o", "r.log"];
    expect(await asCriu(stage, words, { env })).toMatchObject({ exit: 0 });
    expect(alive(sched.pid)).toBe(true);
  },
);

test("CRIU before 3.19: an option that the request settles otherwise does not reach it, so that blocks", async () => {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);
  if (doomed === null) throw new Error("cgroup v2 is not mounted");
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "0"], {
    cgroups: [doomed.cgroup],
  });
  doomed.spoil();
  const env = { RECRIU_CRIU: before319(stage), RECRIU_IGNORE: "criu-too-old,breakpoints-missing" };
  const asked = restore({ manage_cgroups_mode: 3 });
  const refused = await ask(stage, images, asked, { env });
  expect(refused.answer).toMatchObject({ success: false });
  expect(refused.answer!.cr_errmsg).toContain("\nblocker[cgroup-missing]: ");
  expect(refused.answer!.cr_errmsg).toContain("1 blocker, ");
  expect(readFileSync(env.RECRIU_CRIU, "utf8")).toContain("3.18");
  expect(alive(pid)).toBe(false);
});
