/** What a user of the machine planted between the dump and the restore, on real CRIU. */
import { expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import { scriptAt } from "./shadow.ts";
import {
  alive,
  criu,
  dump,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
  undo,
  waitFor,
} from "./stage.ts";

const ALICE = 1000;

/**
 * A tree with a socket in alice's home, which is dumped; the socket's directory is gone then. The images say that the socket
 * was `owner`'s, as CRIU's do of a server that runs under that user.
 */
async function dumpInHome(stage: Stage, owner: number) {
  const home = join(stage.dir, "alice");
  const sockets = join(home, "run");
  mkdirSync(sockets, { recursive: true });
  for (const path of [home, sockets]) chownSync(path, ALICE, ALICE);
  mkdirSync(join(sockets, "app"));
  const { pid } = await start(stage, "things", ["listen", join(sockets, "app/sock")]);
  const images = await dump(stage, pid);
  edit(images, "files.img", (files) => {
    for (const { usk } of files)
      if (usk !== undefined) Object.assign(usk.file_perms, { uid: owner, gid: owner });
  });
  rmSync(join(sockets, "app"), { recursive: true });
  const victim = join(stage.dir, "victim");
  mkdirSync(victim);
  return { pid, images, home, sockets, socket: join(sockets, "app/sock"), victim };
}

/** Another owner's link in the place of a directory. */
function plant(target: string, path: string): void {
  rmSync(path, { recursive: true });
  symlinkSync(target, path);
  lchownSync(path, ALICE, ALICE);
}

test("a link that a user planted: nothing is made where it leads, and it is named beforehand", async () => {
  await using stage = openStage();
  const { pid, images, sockets, victim } = await dumpInHome(stage, ALICE);
  plant(victim, sockets);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  for (const command of ["preflight", "restore"] as const) {
    const told = await report(stage, command, images, command === "preflight" ? ["--fix"] : []);
    expect(told).toMatchObject({ exit: 3, plan: { outcome: "blocked", repairs: [] } });
    expect(blockers(told)).toEqual(["unix-socket-dir"]);
    const named = finding(told, "unix-socket-dir");
    expect(bare.log).toContain(named.criu_message!);
    expect(named.remedy).toMatchObject({ kind: "human", command: null });
    for (const words of [sockets, "a link of uid 1000", `to ${victim}`])
      expect(named.remedy.text).toContain(words);
    expect(readdirSync(victim)).toEqual([]);
    expect(statSync(victim).uid).toBe(0);
  }
  // A person looks, takes the link away and makes it.
  rmSync(sockets);
  await run(stage, ["install", "-d", "-o", "1000", "-g", "1000", join(sockets, "app")]);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
});

test("a user's own directory is made again, as that user's", async () => {
  await using stage = openStage();
  const { pid, images, sockets, socket } = await dumpInHome(stage, ALICE);
  const app = join(sockets, "app");
  const preflight = await report(stage, "preflight", images);
  expect(preflight).toMatchObject({ exit: 4, plan: { repairs: [{ path: app }] } });
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match", differences: [] } });
  const { uid, gid, mode } = statSync(app);
  expect([uid, gid, mode & 0o7777]).toEqual([ALICE, ALICE, 0o755]);
  expect(statSync(socket).isSocket()).toBe(true);
  await killTree(stage, pid);
});

test("root's directory in a user's is a person's to make", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpInHome(stage, 0);
  const told = await report(stage, "restore", images);
  expect(told).toMatchObject({ exit: 3, run: null });
  const { text } = finding(told, "unix-socket-dir").remedy;
  expect(text).toContain(`${sockets} belongs to 1000:1000, and nothing of 0:0 is made there`);
  expect(readdirSync(sockets)).toEqual([]);
});

test("a link of root's is followed, and the plan says where it leads", async () => {
  await using stage = openStage();
  const { pid, images, sockets, victim } = await dumpInHome(stage, 0);
  plant(victim, sockets);
  for (const path of [join(stage.dir, "alice"), sockets]) lchownSync(path, 0, 0);
  const preflight = await report(stage, "preflight", images);
  expect(preflight).toMatchObject({ exit: 4, plan: { repairs: [{ path: join(victim, "app") }] } });
  expect(finding(preflight, "unix-socket-dir").remedy.text).toContain(`which is ${victim}/app`);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
  expect(statSync(join(victim, "app/sock")).isSocket()).toBe(true);
});

test("undo after a kill: what was put in the directory's place stays, a live socket above all", async () => {
  await using stage = openStage();
  const { pid, images, home, sockets, victim } = await dumpInHome(stage, ALICE);
  mkdirSync(join(victim, "app"));
  const script = scriptAt(stage, "post-restore", "kill -9 $(awk '{print $4}' /proc/$PPID/stat)");
  const killed = await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
  expect(killed.exit).toBe(137);
  await waitFor("the tree to be gone", () => !alive(pid));
  rmSync(home, { recursive: true });
  mkdirSync(home);
  symlinkSync(victim, sockets);
  lchownSync(sockets, ALICE, ALICE);
  chownSync(home, ALICE, ALICE);
  const live = await start(stage, "things", ["listen", join(victim, "app/sock")]);
  const undone = await undo(stage);
  expect(undone).toMatchObject({ exit: 1 });
  expect(undone.stderr).toContain("left alone");
  expect(existsSync(join(victim, "app/sock"))).toBe(true);
  await killTree(stage, live.pid);
});

/** Sets up a name that CRIU will write in alice's work directory; the options that make it, and the words about it. */
const files: Record<
  string,
  [name: string, setUp: (path: string, victim: string) => void, words: string]
> = {
  "log, a link": [
    "restore.log",
    (path, victim) => symlinkSync(victim, path),
    "a link of uid 1000 to",
  ],
  "log, another name of a file": [
    "restore.log",
    (path, victim) => linkSync(victim, path),
    "other names",
  ],
  "log, a FIFO": ["restore.log", (path) => void Bun.spawnSync(["mkfifo", path]), "no regular file"],
  "statistics, a link": ["stats-restore", (path, victim) => symlinkSync(victim, path), "a link of"],
};

for (const [what, [name, setUp, words]] of Object.entries(files))
  test(`work-file-planted: CRIU's ${what}`, async () => {
    await using stage = openStage();
    const { pid } = await start(stage, "sched", ["other", "0", "0"]);
    const images = await dump(stage, pid);
    const work = join(stage.dir, "work");
    const victim = join(stage.dir, "victim");
    writeFileSync(victim, "root's");
    mkdirSync(work);
    chownSync(work, ALICE, ALICE);
    setUp(join(work, name), victim);
    lchownSync(join(work, name), ALICE, ALICE);
    const options = ["-W", work, "-o", "restore.log"];
    const told = await report(stage, "restore", images, options);
    expect(told).toMatchObject({ exit: 3, run: null });
    expect(blockers(told)).toEqual(["work-file-planted"]);
    expect(finding(told, "work-file-planted").message).toContain(words);
    expect(readFileSync(victim, "utf8")).toBe("root's");
    // Bare CRIU overwrites the file, or waits for a reader for ever.
    const bare = [criu, "restore", "-d", "-D", images, ...options];
    const { exit } = await run(stage, bare, { timeout: 2000 });
    expect(exit).toBe(words.startsWith("no") ? null : 0);
    expect(readFileSync(victim, "utf8") === "root's").toBe(exit === null);
    if (exit !== null) await killTree(stage, pid);
    rmSync(join(work, name));
    expect(await report(stage, "restore", images, options)).toMatchObject({ exit: 0 });
    await killTree(stage, pid);
  });

/** recriu where /run/recriu is what `prepare` makes of an empty tmpfs at $1, in a mount namespace of its own. */
const withState = (prepare: string) => [
  "unshare",
  "-m",
  "sh",
  "-ec",
  `mkdir -p /run/recriu; mount -t tmpfs -o size=64k,mode=700 none /run/recriu; set -- /run/recriu "$@"; (${prepare}); shift; exec "$@"`,
  "sh",
];

const states: Record<string, [prepare: string, problem: string]> = {
  "is full": ["cat /dev/zero >$1/full 2>/dev/null || true", "no journal can be kept"],
  "belongs to a user": ["chown 1000 $1", "belongs to uid 1000"],
  "may be written to by others": ["chmod 777 $1", "others than its owner may write to it"],
  "holds what is no journal": [
    "mkdir $1/a.journal; mkfifo $1/b.journal; echo null >$1/c.journal; head -c 99 /dev/zero >$1/d.journal; printf 1 >$1/e.journal",
    "",
  ],
};

for (const [what, [prepare, problem]] of Object.entries(states))
  test(`the state directory ${what}`, async () => {
    await using stage = openStage();
    const { pid, images, sockets } = await dumpInHome(stage, ALICE);
    const restore = () =>
      run(stage, [
        ...withState(prepare),
        recriuBinary,
        "restore",
        "-d",
        `--criu=${criu}`,
        "-D",
        images,
      ]);
    const done = await restore();
    if (problem === "") expect(done.exit).toBe(0);
    else {
      // Nothing is changed that could not be taken back.
      expect(done.exit).toBe(3);
      expect(done.stderr).toContain(problem);
      expect(readdirSync(sockets)).toEqual([]);
      mkdirSync(join(sockets, "app"));
      // What needs no repair is restored all the same.
      const unrepaired = await restore();
      expect(unrepaired.exit).toBe(0);
      expect(unrepaired.stderr).toContain("note: no journal is kept");
    }
    expect(alive(pid)).toBe(true);
    await killTree(stage, pid);
  });
