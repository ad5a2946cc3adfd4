/**
 * Every facet sees a difference: a real tree, restored, against images in which one thing was changed, and against the
 * unchanged ones, which it matches.
 */
import { copyOf } from "./stage/dumped.ts";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { labelOf } from "../../src/verify/labels.ts";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
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

let stage: Stage;
let images: string;
let pid: number;

beforeAll(async () => {
  stage = openStage();
  const args = [join(stage.dir, "sockets"), join(stage.dir, "progress")];
  ({ pid } = await start(stage, "x11-server", args));
  images = await dump(stage, pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
afterAll(() => close(stage));

interface Difference {
  facet: string;
  expected: string;
  found: string;
}

/** What verify says of the live tree and these images. */
async function differences(dir: string, root = pid): Promise<Difference[]> {
  const { stdout } = await recriu(stage, ["verify", "-D", dir, "--pid", `${root}`, "--json"]);
  return JSON.parse(stdout).verdict.differences;
}

test("the images themselves: no difference", async () => {
  expect(await differences(images)).toEqual([]);
});

const core = () => `core-${pid}.img`;

const siginfo = (signal: number) => {
  const bytes = Buffer.alloc(128);
  bytes[0] = signal;
  return bytes;
};

const timer = (it_id: number) => ({
  it_id,
  clock_id: 1,
  si_signo: 14,
  it_sigev_notify: 0,
  sival_ptr: 0n,
  overrun: 0,
  isec: 0n,
  insec: 0n,
  vsec: 9n,
  vnsec: 0n,
});

/** What is changed, and the facet and the words that must name it. */
const changes: [facet: string, words: string, file: () => string, (values: any[]) => void][] = [
  ["tasks", "session: 99999", () => "pstree.img", ([root]) => (root.sid = 99999)],
  ["tasks", "process group: 99998", () => "pstree.img", ([root]) => (root.pgid = 99998)],
  ["tasks", "parent: 1", () => "pstree.img", ([, child]) => (child.ppid = 1)],
  ["tasks", "a process that was not saved", () => "pstree.img", ([, child]) => (child.pid = 99997)],
  ["threads", "a thread that was not saved", () => "pstree.img", ([root]) => root.threads.pop()],
  ["namespaces", "uts namespace: its own", () => `ids-${pid}.img`, ([ids]) => (ids.uts_ns_id = 77)],
  ["descriptors", "descriptor 77", () => "fdinfo-2.img", (fds) => (fds.at(-1).fd = 77)],
  ["descriptors", ": none", () => "fdinfo-2.img", (fds) => (fds.at(-1).fd = 77)],
  ["descriptors", "close-on-exec", () => "fdinfo-2.img", (fds) => (fds[0].flags = 1)],
  [
    "descriptors",
    "/dev/nil",
    () => "files.img",
    (files) => {
      for (const { reg } of files) if (reg?.name === "/dev/null") reg.name = "/dev/nil";
    },
  ],
  ["descriptors", "is descriptor", () => "fdinfo-2.img", (fds) => (fds[1].id = fds[0].id)],
  [
    "unix sockets",
    "/elsewhere",
    () => "files.img",
    (files) => {
      const listener = files.find(({ usk }) => usk?.state === 10 && usk.name[0] !== 0).usk;
      listener.name = Buffer.from("/elsewhere\0");
    },
  ],
  [
    "unix peers",
    "peer of descriptor",
    () => "files.img",
    (files) => {
      const ends = files.map(({ usk }) => usk).filter((usk) => usk?.peer > 0);
      // The two ends of the connection are each its own peer now.
      for (const end of ends) end.peer = end.ino;
    },
  ],
  [
    "socket options",
    "so_keepalive",
    () => "files.img",
    (files) => {
      for (const { usk } of files) if (usk !== undefined) usk.opts.so_keepalive = true;
    },
  ],
  [
    "socket options",
    "so_rcvtimeo",
    () => "files.img",
    (files) => {
      for (const { usk } of files) if (usk !== undefined) usk.opts.so_rcv_tmo_sec = 5n;
    },
  ],
  [
    "labels",
    "label of thread",
    core,
    ([value]) => (value.thread_core.creds.lsm_profile = "confined"),
  ],
  // Root's own /proc entries tell nothing; to a user they would belong.
  ["process", "dumpable: yes", core, ([value]) => (value.thread_core.creds.euid = 12)],
  ["command", "other", core, ([value]) => (value.thread_core.comm = "other")],
  [
    "executable",
    "exe: /",
    () => `mm-${pid}.img`,
    ([mm]) =>
      (mm.exe_file_id = mm.vmas.find(
        (vma: any) => vma.status & 0x40 && vma.shmid !== BigInt(mm.exe_file_id),
      ).shmid),
  ],
  ["credentials", "user ids of thread", core, ([value]) => (value.thread_core.creds.euid = 12)],
  ["credentials", "group ids of thread", core, ([value]) => (value.thread_core.creds.sgid = 12)],
  ["credentials", "CapEff", core, ([value]) => (value.thread_core.creds.cap_eff = [0, 0])],
  ["credentials", "seccomp mode", core, ([value]) => (value.thread_core.seccomp_mode = 2)],
  ["scheduling", "nice of thread", core, ([value]) => (value.thread_core.sched_nice = 3)],
  ["scheduling", "SCHED_BATCH", core, ([value]) => (value.thread_core.sched_policy = 3)],
  ["limits", "RLIMIT_NOFILE: 77", core, ([value]) => (value.tc.rlimits.rlimits[7].cur = 77n)],
  ["signals", "ignored signals", core, ([value]) => (value.tc.sigactions[0].sigaction = 1n)],
  ["signals", "caught signals", core, ([value]) => (value.tc.sigactions[9].sigaction = 4096n)],
  ["signals", "blocked signals", core, ([value]) => (value.thread_core.blk_sigset = 2n)],
  ["mappings", "mapping: ", () => `mm-${pid}.img`, ([mm]) => (mm.vmas[0].prot ^= 2)],
  [
    "mappings",
    "memory that is locked",
    () => `mm-${pid}.img`,
    ([mm]) => (mm.vmas[0].flags ^= 0x2000),
  ],
  ["mappings", "was not saved", () => `mm-${pid}.img`, ([mm]) => mm.vmas.splice(0, 1)],
  [
    "signals",
    "pending signals",
    core,
    ([value]) => (value.tc.signals_s = { signals: [{ siginfo: siginfo(10) }] }),
  ],
  [
    "signals",
    "pending signals of thread",
    core,
    ([value]) => (value.thread_core.signals_p = { signals: [{ siginfo: siginfo(10) }] }),
  ],
  ["layout", "mm_arg_start", () => `mm-${pid}.img`, ([mm]) => (mm.mm_arg_start += 1n)],
  ["timers", "timer 3", core, ([value]) => value.tc.timers.posix.push(timer(3))],
  ["root", "root: /", () => `fs-${pid}.img`, ([fs]) => (fs.root_id = 1)],
  ["process", "personality", core, ([value]) => (value.tc.personality = 0x40000)],
  ["process", "oom_score_adj", core, ([value]) => (value.tc.oom_score_adj = 500)],
  ["process", "umask", () => `fs-${pid}.img`, ([fs]) => (fs.umask = 0o77)],
];

for (const [facet, words, file, change] of changes) {
  test(`${facet}: ${words}`, async () => {
    const dir = copyOf(stage, images, "edited");
    try {
      edit(dir, file(), change);
      const found = (await differences(dir)).map((each) => `${each.facet}: ${each.expected}`);
      expect(
        found.filter((line) => line.startsWith(`${facet}: `) && line.includes(words)),
      ).not.toEqual([]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

test("terminals: index, modes, size, and whose they are", async () => {
  const terminal = await start(stage, "terminal", ["master"]);
  const saved = await dump(stage, terminal.pid);
  expect((await restoreBare(stage, saved)).exit).toBe(0);
  expect(await differences(saved, terminal.pid)).toEqual([]);
  edit(saved, "tty-info.img", (infos) => {
    for (const { termios, winsize, pty } of infos) {
      termios.c_lflag ^= 8;
      winsize.ws_col = 77;
      pty.index += 1;
    }
  });
  const found = (await differences(saved, terminal.pid)).map((each) => each.expected);
  for (const words of ["modes of the terminal", "size of the terminal", "controlling terminal"])
    expect(found.filter((line) => line.startsWith(words))).not.toEqual([]);
  await killTree(stage, terminal.pid);
});

test("terminals: for nobody else, which CRIU forgets, and packet mode", async () => {
  const terminal = await start(stage, "terminal", ["exclusive"]);
  const saved = await dump(stage, terminal.pid);
  // As CRIU alone brings it back; and so that the gate has something to set.
  expect((await restoreBare(stage, saved)).exit).toBe(0);
  const bare = await differences(saved, terminal.pid);
  expect(bare.map((each) => each.expected)).toEqual([
    expect.stringMatching(/^TIOCEXCL of the terminal at descriptor \d+: 1$/),
  ]);
  await killTree(stage, terminal.pid);
  const done = await report(stage, "restore", saved);
  expect(done).toMatchObject({ exit: 0, failure: null, verdict: { result: "match" } });
  expect(done.verdict!.differences).toMatchObject([{ class: "mended", facet: "open files" }]);
  edit(saved, "tty-info.img", (infos) => {
    for (const info of infos) info.packet_mode = !info.packet_mode;
  });
  const found = (await differences(saved, terminal.pid)).map((each) => each.expected);
  expect(found.filter((line) => line.startsWith("TIOCPKT of the terminal"))).not.toEqual([]);
  await killTree(stage, terminal.pid);
});

test("labels are compared without what AppArmor and SELinux add", () => {
  expect(labelOf("docker-default (enforce)\n")).toBe("docker-default");
  expect(labelOf("unconfined\n")).toBe("unconfined");
  expect(labelOf("system_u:system_r:container_t:s0:c1,c2\0")).toBe(
    "system_u:system_r:container_t:s0:c1,c2",
  );
});
