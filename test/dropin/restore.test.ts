/** `criu restore`, CRIU itself with a restore made safe: which process is the parent, what is said, what is left. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  alive,
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  ownProgram,
  processOf,
  restoreBare,
  run,
  type Stage,
  start,
  undo,
  waitFor,
} from "../restore/stage.ts";
import { compile } from "../restore/stage/compile.ts";
import { dumpX11 } from "../restore/x11.ts";
import { asCriu, link, watched } from "./as-criu.ts";

const silent = { exit: 0, stdout: "", stderr: "" };

function script(stage: Stage, text: string): string {
  const path = join(stage.dir, `script-${++stage.count}`);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A program, and a script by which its mappings bear another name at the last point. */
function renamedLate(stage: Stage, name: string) {
  const program = ownProgram(stage, name);
  const rename = `[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || mv ${program} ${program}.late`;
  return { program, spoiled: script(stage, rename) };
}

/** A dumped task that sleeps. */
async function sleeper(stage: Stage) {
  return startDumped(stage, "sched", ["other", "0", "5"]);
}

test("a restore that nothing stands in the way of: log, statistics and pidfile where CRIU puts them, not a word more", async () => {
  await using stage = openStage();
  const { pid, images } = await sleeper(stage);
  const work = join(stage.dir, "work");
  const words = ["restore", "-dD", images, "-W", work, "-v4", "-o", "r.log", "--pidfile=p"];
  await run(stage, ["mkdir", work]);
  expect(await asCriu(stage, words)).toEqual(silent);
  expect(alive(pid)).toBe(true);
  expect(readFileSync(join(work, "p"), "utf8")).toBe(String(pid));
  expect(existsSync(join(work, "stats-restore"))).toBe(true);
  // The gate was there.
  const log = readFileSync(join(work, "r.log"), "utf8");
  expect(log).toMatch(/Running post-restore scripts\n.*\[\/proc\/\d+\/fd\/\d+\]/);
  expect(
    existsSync("/run/recriu") && (await run(stage, ["grep", "-rl", images, "/run/recriu"])).stdout,
  ).toBeFalsy();
});

test("what is safe is repaired, and stays; what CRIU fails at afterwards takes it back and is explained", async () => {
  await using stage = openStage();
  const { pid, images, sockets, tasks } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const words = ["restore", "-d", "-D", images, "-o", "r.log"];

  const veto = script(stage, "[ $CRTOOLS_SCRIPT_ACTION != post-restore ]");
  const failed = await asCriu(stage, [...words, "--action-script", veto]);
  expect(failed).toMatchObject({ exit: 1, stdout: "" });
  expect(failed.stderr).toStartWith("failed: ");
  expect(failed.stderr.match(/^failed/gm)).toHaveLength(1);
  expect(existsSync(sockets)).toBe(false);
  expect(tasks.filter(alive)).toEqual([]);

  expect(await asCriu(stage, words)).toEqual(silent);
  expect(existsSync(join(sockets, "X7"))).toBe(true);
  expect(alive(pid)).toBe(true);
  expect((await undo(stage)).exit).toBe(0);
  expect(existsSync(sockets)).toBe(true);
});

test("a killed watcher: CRIU does not let the tree run, and undo finishes", async () => {
  await using stage = openStage();
  const { images, sockets, tasks } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  const watcher =
    "tr '\\0' '\\n' </proc/$PPID/cmdline | sed -n 's:^/proc/\\([0-9]*\\)/fd/.*:\\1:p'";
  const killer = script(
    stage,
    `[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || kill -9 $(${watcher})`,
  );
  const words = ["restore", "-d", "-D", images, "-o", "r.log", "--action-script", killer];
  expect((await asCriu(stage, words)).exit).toBe(1);
  expect(tasks.filter(alive)).toEqual([]);
  expect(existsSync(sockets)).toBe(true);
  expect((await undo(stage)).exit).toBe(0);
  expect(existsSync(sockets)).toBe(false);
});

test("a blocker: one block, exit code 1, CRIU never starts; RECRIU_IGNORE lowers it", async () => {
  await using stage = openStage();
  const { pid, images } = await sleeper(stage);
  const holder = await start(stage, "at-pid", [`${pid}`]);
  const words = ["restore", "-d", "-D", images, "-o", "r.log"];
  const refused = await asCriu(stage, words);
  expect(refused).toMatchObject({ exit: 1, stdout: "" });
  expect(refused.stderr).toStartWith("blocker[pid-in-use]: ");
  expect(refused.stderr).toEndWith("blocked; nothing was touched\n");
  // The log is there, as CRIU leaves one: the block is in it.
  expect(readFileSync(join(images, "r.log"), "utf8")).toEndWith(refused.stderr);

  const tried = await asCriu(stage, words, { env: { RECRIU_IGNORE: "pid-in-use" } });
  expect(tried).toMatchObject({ exit: 1, stdout: "" });
  expect(tried.stderr).toContain(`failed: Can't fork for ${pid}: File exists\n  cause `);
  expect(readFileSync(join(images, "r.log"), "utf8")).toContain(`Can't fork for ${pid}`);
  expect(alive(holder.pid)).toBe(true);
});

test("a tree that is not the saved one does not run; RECRIU_VERIFY=report lets it and says so, off does not look", async () => {
  await using stage = openStage();
  const { program, spoiled } = renamedLate(stage, "tree");
  const args = [stage.dir, "/etc/hostname", `${stage.dir}/log`, "2"];
  const { pid, images } = await startDumped(stage, "tree", args, { program });
  const words = ["restore", "-d", "-D", images, "-o", "r.log", "--action-script", spoiled];
  const gated = await asCriu(stage, words);
  expect(gated).toMatchObject({ exit: 1, stdout: "" });
  expect(gated.stderr).toContain("fatal[");
  expect(gated.stderr).toContain("not verified");
  expect(alive(pid)).toBe(false);

  renameSync(`${program}.late`, program);
  const reported = await asCriu(stage, words, { env: { RECRIU_VERIFY: "report" } });
  expect(reported).toMatchObject({ exit: 0, stderr: gated.stderr });
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);
  renameSync(`${program}.late`, program);
  expect(await asCriu(stage, words, { env: { RECRIU_VERIFY: "off" } })).toEqual(silent);
  expect(alive(pid)).toBe(true);
});

test("a task that the root had adopted is below another by then: it goes with a refused tree", async () => {
  await using stage = openStage();
  const { program, spoiled } = renamedLate(stage, "relations");
  const { pid } = await start(stage, "relations", ["lost-parent"], { program });
  // The lost parent may take its time to go.
  await waitFor("the root and two below it", () => descendants(pid).length === 2);
  const tree = [pid, ...descendants(pid).map((task) => task.pid)];
  const images = await dump(stage, pid);
  const words = ["restore", "-d", "-D", images, "-o", "r.log", "--action-script", spoiled];
  expect((await asCriu(stage, words)).stderr).toContain("not verified");
  expect(tree.filter(alive)).toEqual([]);
});

test("settings that make no sense are refused", async () => {
  await using stage = openStage();
  const refused = await asCriu(stage, ["--version"], { env: { RECRIU_FIX: "all" } });
  expect(refused).toEqual({
    exit: 1,
    stdout: "",
    stderr: "recriu: RECRIU_FIX is safe, host, none; not 'all'\n",
  });
});

test("who calls criu is the parent of its siblings and of nobody else; CRIU is that of its children", async () => {
  await using stage = openStage();
  const { pid, images } = await sleeper(stage);
  const children = script(
    stage,
    `echo $$ >caller; "$@"; code=$?; grep PPid: /proc/${pid}/status; ps --ppid $$ -o pid= | wc -l; exit $code`,
  );
  const words = (...more: string[]) => ["restore", "-D", images, "-o", "r.log", ...more];
  // Below the caller then: the tree, ps and wc's shell; no watcher.
  const sibling = [children, link(stage), ...words("-d", "-S")];
  const bare = await run(stage, [children, criu, ...words("-d", "-S")]);
  await killTree(stage, pid);
  const same = await run(stage, sibling, { env: { RECRIU_CRIU: criu } });
  const caller = readFileSync(join(stage.dir, "caller"), "utf8").trim();
  expect(same.stdout).toContain(`PPid:\t${caller}\n`);
  expect({ ...same, stdout: same.stdout.replace(/\d+\n/, "") }).toEqual({
    ...bare,
    stdout: bare.stdout.replace(/\d+\n/, ""),
  });
  await killTree(stage, pid);

  const attached = run(stage, [link(stage), ...words()], { env: { RECRIU_CRIU: criu } });
  await waitFor("the tree", () => alive(pid) && !watched(stage));
  const parent = processOf(pid)!.ppid;
  expect(readFileSync(`/proc/${parent}/exe`.replace("/exe", "/cmdline"), "utf8")).toContain(
    link(stage),
  );
  process.kill(parent, "SIGKILL");
  expect((await attached).exit).toBe(137);
});

test("--exec-cmd, --inherit-fd, --status-fd and configuration files mean what they mean to CRIU", async () => {
  await using stage = openStage();
  const { pid, images } = await sleeper(stage);
  const config = join(stage.dir, "criu.conf");
  writeFileSync(config, `images-dir ${images}\nlog-file "r.log"\n`);
  const env = { CRIU_CONFIG_FILE: config };
  const command = ["--exec-cmd", "--", "sh", "-c", 'echo "$$ $PPID"; exit 9'];
  const became = await asCriu(stage, ["restore", "--no-default-config", ...command], { env });
  expect(became).toMatchObject({ exit: 9, stderr: "" });
  expect(became.stdout).toMatch(/^\d+ \d+\n$/);
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);

  const fds = `exec 7<>${join(stage.dir, "status")}; exec "$@"`;
  const argv = ["sh", "-c", fds, "sh", link(stage), "restore", "-d", "--status-fd", "7"];
  const run7 = await run(stage, [...argv, "--inherit-fd", "fd[7]:nothing"], {
    env: { ...env, RECRIU_CRIU: criu },
  });
  expect(run7).toEqual(silent);
  expect(readFileSync(join(images, "r.log"), "utf8")).not.toContain("Bad file descriptor");
});

test("what CRIU becomes by --exec-cmd is given the same with and without recriu", async () => {
  await using stage = openStage();
  const { pid, images } = await sleeper(stage);
  const probe = compile("inherit");
  const given = async (program: string) => {
    const words = ["restore", "-D", images, "-o", "r.log", "--exec-cmd", "--", probe, "word"];
    const { exit, stdout } = await run(stage, [probe, "to", program, ...words], {
      env: { RECRIU_CRIU: criu },
    });
    await killTree(stage, pid);
    // CRIU sets variables for its scripts, which stay.
    const lines = stdout
      .replaceAll(/\/run-\d+\./g, "/run.")
      .replace(/socket:\[\d+\]/, "socket")
      .split("\n");
    return { exit, lines: lines.filter((line) => !line.startsWith("env CRTOOLS_")) };
  };
  const bare = await given(criu);
  // O_LARGEFILE, which is another number on arm64.
  expect(bare.lines).toContain(`fd 30 /dev/zero 0 ${process.arch === "x64" ? "8000" : "20000"}`);
  expect(await given(link(stage))).toEqual(bare);
});

test("where there is nothing to look at, CRIU is alone", async () => {
  await using stage = openStage();
  const empty = join(stage.dir, "empty");
  await run(stage, ["mkdir", empty]);
  const { images } = await sleeper(stage);
  const env = { RECRIU_DEBUG: "1" };
  for (const words of [
    ["-D", empty],
    ["-D", join(empty, "no")],
    ["-D", images, "--lazy-pages"],
    ["-D", images, "--stream"],
  ]) {
    const all = ["restore", "-d", ...words, "-W", stage.dir];
    const bare = await run(stage, [criu, ...all]);
    const aside = await asCriu(stage, all, { env });
    const [first, ...rest] = aside.stderr.split("\n");
    expect(first).toStartWith("recriu steps aside: ");
    expect(aside.exit).toBe(bare.exit);
    const plain = (text: string) => text.replaceAll(/\d+/g, "N");
    expect(plain(rest.join("\n"))).toBe(plain(bare.stderr));
  }
});

test("untrusted, by environment or file: what is refused of recriu is refused of criu, and what nobody looks at", async () => {
  await using stage = openStage();
  const log = join(stage.dir, "log");
  const { pid, images } = await startDumped(stage, "objects", ["write", log]);
  const restore = (env: Record<string, string>, ...more: string[]) =>
    asCriu(stage, ["restore", "-dD", images, "-o", "r.log", ...more], { env });
  const refused = await restore({ RECRIU_UNTRUSTED: "1" });
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("untrusted-write")]);
  // CRIU has not written there: it is what recriu said.
  expect(readFileSync(join(images, "r.log"), "utf8")).toEndWith(refused.stderr);
  const unseen = await restore({ RECRIU_UNTRUSTED: "1" }, "--lazy-pages");
  expect([unseen.exit, unseen.stderr]).toEqual([1, expect.stringContaining("not looked at")]);
  // A switch that is misspelt is not off.
  const misspelt = await restore({ RECRIU_UNTRUSTED: "on" });
  expect([misspelt.exit, misspelt.stderr]).toEqual([
    1,
    expect.stringContaining("RECRIU_UNTRUSTED is"),
  ]);
  const allowed = { RECRIU_UNTRUSTED: "1", RECRIU_ALLOW_WRITE: stage.dir };
  expect(await restore(allowed)).toMatchObject({ exit: 0 });
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);
});
