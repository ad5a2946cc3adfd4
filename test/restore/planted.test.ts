/** What a user of the machine planted between the dump and the restore, on real CRIU. */
import { ALICE, dumpInHome } from "./planted.ts";
import { report } from "./report.ts";
import { scriptAt } from "./shadow.ts";
import {
  alive,
  criu,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  run,
  start,
  undo,
  waitFor,
} from "./stage.ts";
import { expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";

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
  const live = await start(stage, "objects", ["listen", join(victim, "app/sock")]);
  const undone = await undo(stage);
  expect(undone).toMatchObject({ exit: 1 });
  expect(undone.stderr).toContain("left alone");
  expect(existsSync(join(victim, "app/sock"))).toBe(true);
  await killTree(stage, live.pid);
});

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
