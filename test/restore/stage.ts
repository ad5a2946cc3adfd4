/**
 * A stage for cases on real CRIU: workloads, dumps and restores under one supervisor.
 *
 *     await using stage = openStage();
 *     const { pid } = await start(stage, "sched", ["fifo", "99", "0", "reset"]);
 *     const images = await dump(stage, pid);
 *     const run = await restoreBare(stage, images);
 *
 * When a stage is closed, or its test dies, nothing of it is left: no process, file or cgroup.
 * Needs root, dist/recriu (scripts/build) and .cache/criu/criu (scripts/setup).
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { recriuBinary, repository } from "../built.ts";
import { roundTrip } from "../image/dumps.ts";
import { hierarchies, type Hierarchy, removeCgroup } from "./stage/cgroups.ts";
import { compile } from "./stage/compile.ts";
import { descendants, dying, kill, nameOf, processOf } from "./stage/processes.ts";
import { noteErrors } from "./stage/seen.ts";
import { startSupervisor, type Supervisor } from "./stage/supervisor.ts";

export { recriuBinary } from "../built.ts";
export { hierarchies, type Hierarchy } from "./stage/cgroups.ts";
export { alive, descendants, processOf } from "./stage/processes.ts";

/** The CRIU under test: $RECRIU_CRIU, else the one of scripts/setup. */
export const criu = process.env["RECRIU_CRIU"] || join(repository, ".cache/criu/criu");

/** How much longer than usual a command may take: an emulated machine (scripts/systems) is slow. */
const patience = Number(process.env["RECRIU_PATIENCE"] || 1);
/** Milliseconds between two looks: a look takes such a machine's only processor from what is waited for. */
const pause = patience > 1 ? 20 : 2;

export interface Stage extends AsyncDisposable {
  /** Directory of this case, removed when the stage is closed. */
  readonly dir: string;
  readonly supervisor: Supervisor;
  /** Numbers runs, so that no two share a file. */
  count: number;
}

export interface RunOptions {
  /** After so many ms the command and all below it are killed. Default 30 s: CRIU may spin. */
  readonly timeout?: number;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

export interface Run {
  /** Exit code, 128+n after signal n; null when its time was over. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Restore extends Run {
  /** CRIU's whole log. */
  readonly log: string;
  /** The log's error lines from `Error` on: `Error (criu/sk-unix.c:1983): unix: Can't …`. */
  readonly errors: string[];
}

/**
 * What is left when all processes are gone: cgroups of the stage's name, and its directory. A killed
 * CRIU leaves its cgroup yard mounted in its work directory, where rm would go into it.
 */
const cleanUp = `
  dir=$1 name=$(basename "$1")
  shift
  cut -d" " -f5 /proc/self/mountinfo | grep "^$dir/" | tac | xargs -r umount -l
  for mount; do
    # Containers' cgroups have the stage's name and more, wherever the runtime put them.
    find "$mount" -depth -type d -path "*/$name*" -exec rmdir {} + || true
  done
  rm -rf "$dir"`;

/** Words before a command: /run and /dev/shm, where recriu keeps journals and shadows, are its own and empty. */
const withOwnState = [
  "unshare",
  "--mount",
  "sh",
  "-ec",
  'for place in /run /dev/shm; do mount -t tmpfs -o mode=0755 tmpfs $place; done; exec "$@"',
  "sh",
];

/**
 * A new stage with a directory of its own. Close it with `await using` or `close`. `ownState`: what runs on it is in a mount
 * namespace with /run and /dev/shm of its own (`stateOf`), so that `recriu undo` there, or a look at what is left, has
 * nothing to do with others' restores; a test that mounts for itself to see it cannot have that.
 */
export function openStage({ ownState = false } = {}): Stage {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "recriu-stage-")));
  const mounts = hierarchies().map(({ mount }) => mount);
  const command = ["sh", "-ec", cleanUp, "sh", dir, ...mounts];
  const words = [...(ownState ? withOwnState : []), compile("supervisor"), ...command];
  const supervisor = startSupervisor(words);
  const end = async () => {
    noteErrors(dir);
    await supervisor.close();
  };
  return { dir, supervisor, count: 0, [Symbol.asyncDispose]: end };
}

/** The directories of a stage with `ownState` that recriu keeps its own things in, as the test sees them; after the first `start`. */
export const stateOf = ({ supervisor }: Stage): { run: string; shm: string } => ({
  run: `/proc/${supervisor.pid}/root/run`,
  shm: `/proc/${supervisor.pid}/root/dev/shm`,
});

/** What an earlier CRIU there found out of the kernel goes: with it the next one would not be held (restore/hold.ts). */
export const forgetKernel = (stage: Stage): void =>
  rmSync(join(stateOf(stage).run, "criu.kdat"), { force: true });

/** The processes of that name on the stage, by their pids here, whatever namespace they are in. */
export const running = (stage: Stage, comm: string): number[] =>
  descendants(stage.supervisor.pid)
    .filter(({ pid }) => nameOf(pid) === comm)
    .map(({ pid }) => pid);

/** Kills all that runs on the stage, removes its cgroups and its directory. */
export async function close(stage: Stage): Promise<void> {
  await stage[Symbol.asyncDispose]();
}

/** Polls until `predicate` holds; throws when it does not within `timeout` ms. */
export async function waitFor(
  what: string,
  predicate: () => boolean,
  timeout = 30_000,
): Promise<void> {
  const end = performance.now() + timeout * patience;
  while (!predicate()) {
    if (performance.now() > end) throw new Error(`waited ${timeout} ms in vain for ${what}`);
    await Bun.sleep(pause);
  }
}

/** A workload's program as a file of the stage's own, for `start`. */
export function ownProgram(stage: Stage, name: string): string {
  const program = join(stage.dir, name);
  copyFileSync(compile(name), program);
  return program;
}

/**
 * Starts test/workloads/NAME.c with `args` (a ready file goes before them) and waits until it is
 * ready. `cgroups` are directories of cgroups that it is started in, `program` is a copy of it to run.
 * It has a session of its own and 0-2 on /dev/null.
 */
export async function start(
  stage: Stage,
  name: string,
  args: string[] = [],
  options: { cgroups?: string[]; cwd?: string; program?: string } = {},
): Promise<{ pid: number }> {
  const ready = join(stage.dir, `ready-${++stage.count}`);
  const errors = `${ready}.errors`;
  const enter = (options.cgroups ?? []).map((dir) => `echo $$ >'${dir}/cgroup.procs' && `).join("");
  const argv = ["env", `WORKLOAD_ERRORS=${errors}`, "sh", "-c", `${enter}exec "$@"`, "sh"];
  const { program = compile(name), cwd = "/" } = options;
  const child = await stage.supervisor.spawn([...argv, program, ready, ...args], { cwd });
  await waitFor(`${name} to be ready`, () => {
    if (child.status !== null) {
      const why = existsSync(errors) ? readFileSync(errors, "utf8") : "no message";
      throw new Error(`${name} ended with ${child.status} before it was ready: ${why}`);
    }
    return existsSync(ready);
  });
  rmSync(ready);
  return { pid: child.pid };
}

/** Runs a command to its end. Its children that are no daemons are gone and reaped after it. */
export async function run(stage: Stage, argv: string[], options: RunOptions = {}): Promise<Run> {
  const files = join(stage.dir, `run-${++stage.count}`);
  const env = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const child = await stage.supervisor.spawn(env.length ? ["env", ...env, ...argv] : argv, {
    stdout: `${files}.out`,
    stderr: `${files}.err`,
    cwd: options.cwd ?? stage.dir,
  });
  let late = false;
  const timer = setTimeout(
    () => {
      late = true;
      for (const below of descendants(child.pid)) kill(below.pid);
      kill(child.pid);
    },
    (options.timeout ?? 60_000) * patience,
  );
  const status = await child.exited;
  clearTimeout(timer);
  await settle(stage);
  return {
    exit: late ? null : status,
    stdout: readFileSync(`${files}.out`, "utf8"),
    stderr: readFileSync(`${files}.err`, "utf8"),
  };
}

/** Waits until what was killed is gone and reaped; zombies of living parents stay. */
async function settle(stage: Stage): Promise<void> {
  const { pid: init } = stage.supervisor;
  await waitFor("killed processes to be gone", () =>
    descendants(init).every(({ pid, ppid, state }) =>
      state === "Z" ? ppid !== init : !dying(pid),
    ),
  );
}

/**
 * `criu dump` of the tree into a new directory, which is returned; throws with the log's error
 * lines, and when an image is not written again as it was read. The tree and its pids are gone then,
 * unless `options` holds --leave-running.
 */
export async function dump(stage: Stage, pid: number, options: string[] = []): Promise<string> {
  const images = join(stage.dir, `images-${++stage.count}`);
  const work = join(stage.dir, `dump-${stage.count}`);
  mkdirSync(images);
  mkdirSync(work);
  const tree = [pid, ...descendants(pid).map((process) => process.pid)];
  const argv = [criu, "dump", "-t", `${pid}`, "-D", images, "-W", work, "-v4", "-o", "dump.log"];
  const { exit, stderr } = await run(stage, [...argv, ...options]);
  if (exit !== 0) {
    const { errors } = readLog(join(work, "dump.log"));
    throw new Error(`criu dump exits ${exit}: ${errors.join("\n") || stderr}`);
  }
  const stays = options.includes("--leave-running") || options.includes("-R");
  if (!stays) await waitFor("the dumped tree to be gone", () => !tree.some(processOf));
  const { differing } = roundTrip(images);
  if (differing.length > 0)
    throw new Error(`not written as they were read: ${differing.join(" ")}`);
  return images;
}

/** `criu restore --restore-detached`, nothing around it, its log outside the images. */
export async function restoreBare(
  stage: Stage,
  images: string,
  options: string[] = [],
  runOptions: RunOptions = {},
): Promise<Restore> {
  const work = join(stage.dir, `restore-${++stage.count}`);
  mkdirSync(work);
  const argv = [criu, "restore", "-d", "-D", images, "-W", work, "-v4", "-o", "restore.log"];
  const done = await run(stage, [...argv, ...options], runOptions);
  return { ...done, ...readLog(join(work, "restore.log")) };
}

/** Runs dist/recriu with the CRIU under test. */
export function recriu(stage: Stage, args: string[], options: RunOptions = {}): Promise<Run> {
  const env = { RECRIU_CRIU: criu, NO_COLOR: "1", ...options.env };
  return run(stage, [recriuBinary, ...args], { ...options, env });
}

/** What other CRIUs of this machine, whose tests run beside, have in /tmp meanwhile. */
const ofOthers =
  /^ {2}left {2}\/tmp\/\.criu\.\S+: perhaps of another CRIU that runs; left alone\n/gm;

/** `recriu undo`, without what it says of others' restores and CRIUs: its exit code is 0 when all of this stage's is undone. */
export async function undo(stage: Stage): Promise<Run> {
  const undone = await recriu(stage, ["undo"]);
  const blocks = undone.stderr.replaceAll(ofOthers, "").split(/^(?=undone: )/m);
  const isOurs = (block: string) => !block.startsWith("undone: ") || block.includes(stage.dir);
  const stderr = blocks.filter(isOurs).join("");
  const onlyTheirs = stderr !== undone.stderr && !/^ {2}left|^recriu undo:/m.test(stderr);
  return { ...undone, stderr, exit: onlyTheirs ? 0 : undone.exit };
}

/** SIGKILL to the tree; afterwards its pids are free for a restore. */
export async function killTree(stage: Stage, pid: number): Promise<void> {
  const tree = new Set([pid]);
  await waitFor(`the tree ${pid} to be gone`, () => {
    for (const member of tree) {
      for (const below of descendants(member)) tree.add(below.pid);
    }
    // Only what is still on this stage: a number may have gone to a stranger.
    const left = descendants(stage.supervisor.pid).filter((process) => tree.has(process.pid));
    for (const process of left) kill(process.pid);
    return left.length === 0;
  });
}

/** A new cgroup `path` below the stage's own one in that hierarchy; its directory. */
export function makeCgroup(stage: Stage, { mount }: Hierarchy, path: string): string {
  const dir = join(mount, basename(stage.dir), path);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * A cgroup to start and dump a workload in. Once the workload is gone, `spoil` makes a bare restore
 * fail: it removes the cgroup and makes its parent the root of a threaded subtree, so that the
 * cgroup CRIU makes in its place takes no process (cgroups(7), "domain invalid"):
 * `cg: Can't move 42 into unified//recriu-…/workload/cgroup.procs (-1/6): Operation not supported`.
 * `--manage-cgroups=ignore` is the remedy. null where cgroup v2 is not mounted.
 */
export function makeDoomedCgroup(stage: Stage): { cgroup: string; spoil: () => void } | null {
  const v2 = hierarchies().find(({ version }) => version === 2);
  if (!v2) return null;
  const cgroup = makeCgroup(stage, v2, "workload");
  return {
    cgroup,
    spoil() {
      removeCgroup(cgroup);
      const threaded = makeCgroup(stage, v2, "threaded");
      writeFileSync(join(threaded, "cgroup.type"), "threaded");
    },
  };
}

function readLog(path: string): { log: string; errors: string[] } {
  const log = existsSync(path) ? readFileSync(path, "utf8") : "";
  const errors = log.split("\n").flatMap((line) => /Error \(.*/.exec(line)?.[0] ?? []);
  return { log, errors };
}
