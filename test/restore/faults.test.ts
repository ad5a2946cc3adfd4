/** What can happen to a restore on its way: after each, no stray task and no half-made directory. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { INITIAL_PID_NAMESPACE } from "../../src/sys/linux.ts";
import { everythingOn } from "./nothing-left.ts";
import { report } from "./report.ts";
import {
  alive,
  criu,
  descendants,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  processOf,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  undo,
  waitFor,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";
import { compile } from "./stage/compile.ts";
import { dumpX11 } from "./x11.ts";

/** An action script that runs `command` at `point`; CRIU is $PPID, recriu its parent. */
function scriptAt(stage: Stage, point: string, command: string): string {
  const script = join(stage.dir, `script-${point}`);
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION = ${point} ] || exit 0\n${command}\n`);
  chmodSync(script, 0o755);
  return script;
}

const recriusPid = "$(awk '{print $4}' /proc/$PPID/stat)";

/** Those that CRIU passes without namespaces to set up. */
const points = ["pre-restore", "post-restore", "pre-resume"];

/** CRIU's temporary directories in two places, and what is mounted there. */
const scratch = (stage: Stage): string[] => [
  ...[stage.dir, "/tmp"].flatMap((dir) =>
    readdirSync(dir).filter((name) => name.startsWith(".criu.")),
  ),
  ...(readFileSync("/proc/self/mountinfo", "utf8").match(/\.criu\.\S+/g) ?? []),
];

// In a pid namespace another CRIU may run that is not seen, and what may be its own stays.
const blind = readlinkSync("/proc/self/ns/pid") !== INITIAL_PID_NAMESPACE;

test.skipIf(blind)(
  "CRIU is killed in the middle of cgroups and of a container: its mounts and directories go too",
  async () => {
    await using stage = openStage();
    const v2 = hierarchies().find(({ version }) => version === 2);
    if (v2 === undefined) throw new Error("cgroup v2 is not mounted");
    const { tasks, images } = await dumpX11(stage, [makeCgroup(stage, v2, "own")]);
    const before = scratch(stage);
    const kill = scriptAt(stage, "post-restore", "kill -9 $PPID; sleep 0.2");
    const options = ["-W", stage.dir, "--action-script", kill];
    expect((await restoreBare(stage, images, options)).exit).toBe(137);
    const left = scratch(stage).filter((name) => !before.includes(name));
    expect(left.length).toBeGreaterThan(3);
    await run(stage, [
      "sh",
      "-c",
      `umount -l ${stage.dir}/.criu.cgyard.*/* ${stage.dir}/.criu.cgyard.*; rmdir ${stage.dir}/.criu.cgyard.*`,
    ]);
    await run(stage, ["kill", "-9", ...tasks.map(String)]);
    await waitFor("the tree to be gone", () => !tasks.some(processOf));

    const killed = await report(stage, "restore", images, options);
    expect(killed).toMatchObject({ exit: 137, failure: { left: [] } });
    expect(scratch(stage)).toEqual(before);

    const { images: container, options: rooted } = await dumpContainer(stage);
    const half = await report(stage, "restore", container, [...options, ...rooted]);
    expect(half).toMatchObject({ exit: 137, failure: { left: [] } });
    expect(scratch(stage)).toEqual(before);
  },
);

for (const point of points) {
  test(`CRIU is killed at ${point}`, async () => {
    await using stage = openStage({ ownState: true });
    const { images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const before = everythingOn(stage);
    const script = scriptAt(stage, point, "kill -9 $PPID; sleep 0.2");
    const killed = await report(stage, "restore", images, ["--action-script", script]);
    expect(killed).toMatchObject({ exit: 137, run: { criu_exit: 137, pid: null } });
    expect(killed.failure).toMatchObject({ line: expect.stringContaining("SIGKILL"), left: [] });
    expect(everythingOn(stage)).toEqual(before);
    expect(existsSync(sockets)).toBe(false);
    expect((await report(stage, "restore", images)).exit).toBe(0);
  });
}

for (const limit of ["--timeout", "--stall"]) {
  test(`a CRIU that hangs is killed with its tree: ${limit}`, async () => {
    await using stage = openStage({ ownState: true });
    const { images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const before = everythingOn(stage);
    // Page data that ends early makes CRIU read at the end of the file for ever.
    const pages = join(images, "pages-1.img");
    truncateSync(pages, statSync(pages).size - 4096);
    // It logs on all the time: that is no progress.
    const options = ["--ignore=pages-short", `${limit}=1`, "-v4"];
    const hung = await report(stage, "restore", images, options);
    // The signal was recriu's own: CRIU failed.
    expect(hung).toMatchObject({ exit: 1, run: { criu_exit: 137 }, failure: { left: [] } });
    expect(hung.failure!.line).toContain(limit);
    expect(hung.failure!.at[0]).toMatch(/^criu \d+: /);
    expect(everythingOn(stage)).toEqual(before);
    expect(existsSync(sockets)).toBe(false);
  });
}

test("a stall that is given up says what CRIU was at, and again what was warned of", async () => {
  await using stage = openStage();
  const shell = stage.supervisor.spawn([compile("job"), join(stage.dir, "ready"), "nohup"]);
  await (
    await shell
  ).exited;
  const [job] = descendants(stage.supervisor.pid);
  const images = await dump(stage, job!.pid, ["--shell-job"]);
  const work = ["-W", stage.dir, "-v4", "-o", "restore.log", "--no-shell-job"];
  const words = ["restore", "-D", images, ...work, "--stall=1", "--ignore=shell-job-session"];
  const hung = await recriu(stage, words);
  expect(hung.exit).toBe(1);
  const [, after] = hung.stderr.split("failed: ");
  expect(after).toMatch(/^CRIU was killed: for 1 s it made no task and read no byte \(--stall\)\n/);
  expect(after).toMatch(/\n {2}at {6}criu \d+: waits in /);
  expect(after).toMatch(/\n {2}at {6}task \d+ \(\w+\)( and \d+ more like it)?: waits in futex/);
  expect(after).toMatch(/\n {2}at {6}its last words: .*pgid\n/);
  expect(after).toContain("warning[shell-job-session]");
  expect(descendants(stage.supervisor.pid)).toEqual([]);
});

test("a script that takes longer than --stall is waited for", async () => {
  await using stage = openStage();
  const { images } = await dumpX11(stage);
  const script = scriptAt(stage, "post-restore", "sleep 2");
  const options = ["-d", "--stall=1", "--action-script", script];
  expect((await report(stage, "restore", images, options)).exit).toBe(0);
});

for (const signal of ["INT", "TERM", "HUP"] as const) {
  test(`SIG${signal} to recriu before the tree runs`, async () => {
    await using stage = openStage({ ownState: true });
    const { images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const before = everythingOn(stage);
    const script = scriptAt(stage, "post-restore", `kill -${signal} ${recriusPid}; sleep 0.5`);
    const stopped = await report(stage, "restore", images, ["--action-script", script]);
    expect(stopped.exit).toBe(128 + constants.signals[`SIG${signal}`]);
    expect(stopped.failure).toMatchObject({ line: `interrupted by SIG${signal}`, left: [] });
    expect(everythingOn(stage)).toEqual(before);
    expect(existsSync(sockets)).toBe(false);
  });
}

for (const point of points) {
  test(`recriu is killed at ${point}: undo finishes what it began`, async () => {
    await using stage = openStage({ ownState: true });
    const { tasks, images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const before = everythingOn(stage);
    const script = scriptAt(stage, point, `kill -9 ${recriusPid}`);
    const killed = await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
    expect(killed.exit).toBe(137);
    if (point === "pre-resume") {
      // CRIU does not heed a missing gate there: the tree, verified but for its last details, runs.
      await waitFor("the tree", () => tasks.every(alive));
      const undone = await undo(stage);
      expect(undone.stderr).toContain("in use by now; left alone");
      expect(undone.exit).toBe(1);
      // It says so, and how to see the rest.
      const [verify] = /recriu verify -D \S+ --pid \d+/.exec(undone.stderr) ?? [];
      const words = verify!.split(" ").slice(1);
      expect(await recriu(stage, words)).toMatchObject({ exit: 0 });
      expect(existsSync(join(sockets, "X7"))).toBe(true);
      return;
    }
    await waitFor("the tree to be gone", () => !tasks.some(alive));
    expect(existsSync(sockets)).toBe(true);
    expect((await undo(stage)).stderr).toContain(sockets);
    expect(existsSync(sockets)).toBe(false);
    expect(everythingOn(stage)).toEqual(before);
  });
}

test("a work directory that cannot be written, an image that vanishes on the way", async () => {
  await using stage = openStage();
  const { tasks, images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  const nowhere = await report(stage, "restore", images, ["-W", join(stage.dir, "nowhere")]);
  expect(nowhere.exit).not.toBe(0);
  expect(existsSync(sockets)).toBe(false);

  const script = scriptAt(stage, "pre-restore", `rm ${images}/mm-*.img`);
  const vanished = await report(stage, "restore", images, ["--action-script", script]);
  expect(vanished.exit).not.toBe(0);
  await waitFor("the tree to be gone", () => !tasks.some(alive));
  expect(existsSync(sockets)).toBe(false);
});

test("the disk with the journal is full: nothing is repaired", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  const full = `mount -t tmpfs -o size=8k none /run && mkdir /run/recriu && head -c 4090 /dev/zero >/run/filler; head -c 4090 /dev/zero >/run/filler2; exec "$@"`;
  const words = [recriuBinary, "restore", "-d", "-D", images, "--json", `--criu=${criu}`];
  const { exit, stdout } = await run(stage, ["unshare", "-m", "sh", "-c", full, "sh", ...words]);
  expect(exit).toBe(3);
  expect(JSON.parse(stdout).failure.line).toContain("journal");
  expect(existsSync(sockets)).toBe(false);
});

test("SIGINT to the whole process group", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  const before = everythingOn(stage);
  const script = scriptAt(stage, "post-restore", "kill -INT 0; sleep 0.5");
  const stopped = await report(stage, "restore", images, ["--action-script", script]);
  expect(stopped).toMatchObject({ exit: 130, failure: { left: [] } });
  expect(everythingOn(stage)).toEqual(before);
  expect(existsSync(sockets)).toBe(false);
});

test("no journal can be kept: nothing is repaired, and a restore without repairs goes on", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  // In a mount namespace of its own, /run is read-only.
  const hide = 'mount -t tmpfs -o ro none /run && exec "$@"';
  const words = [recriuBinary, "restore", "-d", "-D", images, "--json", `--criu=${criu}`];
  const { exit, stdout } = await run(stage, ["unshare", "-m", "sh", "-c", hide, "sh", ...words]);
  expect(exit).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    run: null,
    failure: { line: expect.stringContaining("journal") },
  });
  expect(existsSync(sockets)).toBe(false);
  mkdirSync(sockets);
  const { exit: without } = await run(stage, ["unshare", "-m", "sh", "-c", hide, "sh", ...words]);
  expect(without).toBe(0);
});

test("CRIU is killed while it makes deleted files again: they go too", async () => {
  await using stage = openStage();
  const directory = join(stage.dir, "files");
  mkdirSync(directory);
  const { images } = await startDumped(stage, "ghost", [join(directory, "file"), "900"]);
  const left = () => readdirSync(directory).length;
  /** Ends this stage's CRIU as soon as something stands in the directory. */
  const killer = async () => {
    await waitFor("a deleted file", () => left() > 0, 10_000);
    const first = descendants(stage.supervisor.pid).find(
      (each) => readFileSync(`/proc/${each.pid}/comm`, "utf8") === "criu\n",
    );
    process.kill(first!.pid, "SIGKILL");
  };
  const [bare] = await Promise.all([restoreBare(stage, images), killer()]);
  expect(bare.exit).toBe(137);
  expect(left()).toBeGreaterThan(0);
  // The half-made task that is left goes on making them.
  for (const { pid: task } of descendants(stage.supervisor.pid)) await killTree(stage, task);
  rmSync(directory, { recursive: true });
  mkdirSync(directory);

  const [killed] = await Promise.all([report(stage, "restore", images), killer()]);
  expect(killed).toMatchObject({ exit: 137, failure: { left: [] } });
  expect(left()).toBe(0);
});
