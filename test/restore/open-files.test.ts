/**
 * A tree with an open file of every kind comes back as it was, where bare CRIU does not bring it back; and each value that is
 * changed behind CRIU's back, in the stopped tree, is found by its name.
 */
import { copyOf } from "./stage/dumped.ts";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, report } from "./report.ts";
import { knows } from "../../src/criu/index.ts";
import { scriptAt } from "./shadow.ts";
import {
  close,
  dump,
  killTree,
  openStage,
  recriu,
  restoreBare,
  type Stage,
  start,
} from "./stage.ts";
import { compile } from "./stage/compile.ts";

let stage: Stage;
let dir: string;
let images: string;
let pid: number;
/** The number that the images give the UTS namespace. */
let uts: number;

beforeAll(async () => {
  stage = openStage();
  dir = join(stage.dir, "objects");
  mkdirSync(dir);
  ({ pid } = await start(stage, "open", [dir]));
  images = await dump(stage, pid);
  edit(images, `ids-${pid}.img`, ([ids]) => (uts = ids.uts_ns_id));
});
afterAll(() => close(stage));

const fdinfo = (fd: number) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
const field = (fd: number, name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, "m").exec(fdinfo(fd))?.[1];

test("what bare CRIU loses, recriu brings back: timers, a counter, flags of watches", async () => {
  const named = await report(stage, "preflight", images);
  const kept = knows(named.criu.version!, "timersKept", false);
  expect(blockers(named)).toEqual(kept ? [] : ["timerfd-expired", "timerfd-expired"]);
  expect(named.exit).toBe(0);
  expect((await report(stage, "preflight", images, ["--fix=none"])).exit).toBe(kept ? 0 : 3);

  expect((await restoreBare(stage, images)).exit).toBe(0);
  await Bun.sleep(50);
  expect([field(14, "it_value"), field(14, "ticks")]).toEqual(["(0, 0)", kept ? "2" : "1"]);
  expect(await ticking(14)).toBe(kept);
  expect(field(17, "ticks")).toBe(kept ? "0" : "1");
  expect(field(11, "eventfd-count")).toBe("5");
  expect(fdinfo(20)).toContain("mask:100 ");
  await killTree(stage, pid);

  // It is seen, too: the timers where nothing is edited, the others where they were not yet mended.
  if (!kept) {
    const ignored = ["--fix=none", "--ignore=timerfd-expired"];
    const refused = await report(stage, "restore", images, ignored);
    expect(refused).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
    const fatal = refused.verdict!.differences.filter((each) => each.class === "fatal");
    expect(fatal.map(({ expected, found }) => `${expected}, ${found}`)).toEqual([
      "timerfd of descriptor 14: armed in time, not armed",
      "timerfd of descriptor 17: not armed, armed",
    ]);
  }

  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({
    exit: 0,
    failure: null,
    verdict: { result: "match", not_compared: 0 },
  });
  const mended = done.verdict!.differences.map((each) => `${each.class} ${each.expected}`);
  expect(mended).toEqual([
    "mended counter of descriptor 11: 1099511627781",
    expect.stringMatching(/^mended mask of watch \d of descriptor 20: 0x(80000400|4000100)$/),
    expect.stringMatching(/^mended mask of watch \d of descriptor 20: 0x(80000400|4000100)$/),
  ]);
  expect(await ticking(14)).toBe(true);
  expect(field(17, "ticks")).toBe("0");
  expect(field(11, "eventfd-count")).toBe("10000000005");
  await killTree(stage, pid);
});

/** Whether a timer goes on when it is read. */
async function ticking(fd: number): Promise<boolean> {
  await meddle(fd, "read", "8");
  await Bun.sleep(50);
  return Number(field(fd, "ticks")) > 0;
}

async function meddle(fd: number, ...words: string[]): Promise<void> {
  const argv = [compile("meddle"), `${pid}`, `${fd}`, ...words];
  const child = await stage.supervisor.spawn(argv, { cwd: "/" });
  expect(await child.exited).toBe(0);
}

/** A descriptor, what is done to it in the stopped tree, and how the difference is named. */
const changes: [fd: number, words: string, name: string][] = [
  [10, "add 2", "eventfd counter of descriptor 10: 6"],
  [10, "read 8", "eventfd counter of descriptor 10: 6"],
  [10, "flags 0", "flags of descriptor 10"],
  [10, "owner 1", "owner of signals of descriptor 10: nobody"],
  [12, "mask 1", "signalfd mask of descriptor 12"],
  [13, "arm 0 0 1000", "timerfd of descriptor 13: armed in time"],
  [13, "arm 0 7200000 1000", "timerfd of descriptor 13: armed in time"],
  [13, "arm 0 3500000 2000", "timerfd interval of descriptor 13"],
  [13, "arm 1 1 1000", "timerfd flags of descriptor 13: 0"],
  [15, "read 8", "timerfd ticks of descriptor 15: 1"],
  [15, "arm 0 3600000 0", "timerfd of descriptor 15: not armed"],
  [16, "arm 0 3600000 10", "timerfd of descriptor 16: not armed"],
  [18, "arm 1 0 0", "timerfd of descriptor 18: armed in time"],
  [19, "unwatch 10", "watch of 10 of descriptor 19: events 0x80000019, data 0x7"],
  [19, "watch 10 0x80000004 7", "watch of 10 of descriptor 19: events 0x80000019, data 0x7"],
  [19, "watch 10 0x80000001 9", "watch of 10 of descriptor 19: events 0x80000019, data 0x7"],
  [19, "retarget 10 0x80000001 7", "target of watch 10 of descriptor 19"],
  [20, "ignore 1", "mask of watch 1 of descriptor 20: 0x4000100"],
  [20, "notice /proc 0x100", "a watch that was not saved of descriptor 20"],
  [20, "notice / 0x2", "mask of watch 2 of descriptor 20: 0x80000400"],
  [21, "read 4", "bytes in the pipe of descriptor 21: 11"],
  [22, "write x", "content of the pipe of descriptor 21: 11"],
  [21, "room 8192", "room of the pipe of descriptor 21: 16384"],
  [23, "read 4", "bytes in the FIFO of descriptor 23: 11"],
  [23, "room 8192", "room of the FIFO of descriptor 23"],
  [24, "seal 4", "seals of the memory file of descriptor 24"],
  [24, "seek 2", "position of descriptor 24: 9"],
  [24, "size 4096", "size of the memory file of descriptor 24: 9"],
  [24, "mode 0640", "mode of the memory file of descriptor 24"],
  [25, "read 2", "content of the socket of descriptor 25: 6 bytes"],
  [26, "write more", "content of the socket of descriptor 25: 6 bytes"],
  [27, "read 3", "datagrams in the socket of descriptor 27: 2"],
  [28, "write third", "datagrams in the socket of descriptor 27: 2"],
  [25, "write back", "bytes in the socket of descriptor 26: 0"],
  [29, "owner 0", "owner of signals of descriptor 29: process"],
  [29, "signal 10", "signal of descriptor 29: 12"],
  [29, "flags 2", "flags of descriptor 29"],
  [33, "mark / 1", "a mark that was not saved of descriptor 33"],
  [36, "join 5", "netlink groups of descriptor 36: 1"],
  [42, "join 5", "netlink groups of descriptor 42: 0"],
  [42, "connect 7", "netlink port of descriptor 42: 0"],
  [43, "connect 7", "netlink peer's port of descriptor 43"],
  [43, "connect 7", "netlink peer's groups of descriptor 43: 4"],
  [39, "shutdown 0", "shutdown(2) of descriptor 39: 2"],
  [41, "listen 9", "connections that may wait at descriptor 41: 5"],
];

/** Of what is final only at the last point. */
const late: typeof changes = [[29, "option 1 9 1", "so_keepalive of descriptor 29: 0"]];

/** Two ends share what is between them. */
const otherEnd = new Map([
  [22, 21],
  [26, 25],
  [28, 27],
]);
const shared = (fd: number) => otherEnd.get(fd) ?? fd;

/** Each round is one restore with one change a file. */
const rounds: (typeof changes)[] = [];
for (const change of changes) {
  const round = rounds.find((each) => each.every(([fd]) => shared(fd) !== shared(change[0])));
  if (round === undefined) rounds.push([change]);
  else round.push(change);
}

test.each([...rounds.map((round) => ["post-restore", round] as const), ["pre-resume", late]])(
  "changed behind CRIU's back at %s",
  async (point, round) => {
    const commands = round.map(
      ([fd, words]) => `${compile("meddle")} $CRTOOLS_INIT_PID ${fd} ${words} || exit 1`,
    );
    const script = scriptAt(stage, point, commands.join("\n"));
    const refused = await report(stage, "restore", images, ["--action-script", script]);
    await killTree(stage, pid);
    const found = refused.verdict?.differences.map((each) => `${each.class} ${each.expected}`);
    const missed = round.filter(
      ([, , name]) => !found?.some((text) => text.startsWith(`fatal ${name}`)),
    );
    const line = "the restored tree is not the saved one";
    expect([refused.exit, refused.failure?.line, missed]).toEqual([5, line, []]);
  },
);

/** What cannot be changed from outside: the images say otherwise. Of a tree that runs it is only what changed since. */
const otherwise: [file: string, name: string, change: (values: any[]) => void][] = [
  [
    "files.img",
    "pipe of descriptor 34",
    (files) => {
      const [first, , third] = files.flatMap(({ pipe }) => (pipe ? [pipe] : []));
      third.pipe_id = first.pipe_id;
    },
  ],
  [
    "files.img",
    "other ends of the pipe of descriptor 22",
    (files) => (files.find(({ pipe }) => pipe?.flags & 1).pipe.pipe_id += 1),
  ],
  [
    "files.img",
    "namespace of descriptor 31",
    (files) => Object.assign(only(files, "nsf"), { ns_cflag: 0x4000000, ns_id: uts }),
  ],
  ["files.img", "process of descriptor 32", (files) => (only(files, "pidfd").nspid += 1)],
  ["files.img", "fanotify flags of descriptor 33", (files) => (only(files, "ffy").evflags = 1)],
  [
    "files.img",
    "mark on a file of descriptor 33",
    (files) => (only(files, "ffy").mark[0].mask = 2),
  ],
  ["files.img", "timerfd clock of descriptor 13", (files) => (only(files, "tfd").clockid = 7)],
  ["files.img", "flags of descriptor 19", (files) => (only(files, "epfd").flags |= 0o4000)],
  ["memfd.img", "name of the memory file of descriptor 24", ([inode]) => (inode.name = "other")],
  ["memfd.img", "owner of the memory file of descriptor 24", ([inode]) => (inode.uid = 7)],
];
const only = (files: any[], kind: string) => files.find((file) => file[kind] !== undefined)[kind];

test("images that say otherwise than the tree is", async () => {
  const restored = await report(stage, "restore", images);
  expect([restored.exit, restored.failure, blockers(restored)]).toMatchObject([0, null, {}]);
  for (const [file, name, change] of otherwise) {
    const edited = copyOf(stage, images, "edited");
    edit(edited, file, change);
    const { verdict } = await verified(edited);
    const named = verdict.differences.filter((each: any) => each.expected.startsWith(name));
    expect([name, named.length]).toEqual([name, 1]);
    rmSync(edited, { recursive: true });
  }
  expect((await verified(images)).verdict.differences).toEqual([]);
  await killTree(stage, pid);
});

async function verified(edited: string) {
  const { exit, stdout } = await recriu(stage, [
    "verify",
    "-D",
    edited,
    "--pid",
    `${pid}`,
    "--json",
  ]);
  return { exit, ...JSON.parse(stdout) };
}
