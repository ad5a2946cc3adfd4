/** --untrusted: what a tree would have over others: their sockets, signals, cgroups, processors, mounts. */
import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import {
  alive,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  ownProgram,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";
import { bareUnder, reportUnder } from "./under.ts";
import { refused } from "./untrusted.ts";

async function held(stage: Stage, things: string[], options: string[] = []) {
  const { pid } = await start(stage, "things", things);
  return { pid, images: await dump(stage, pid, options) };
}

test("untrusted-setuid: a deleted file comes back with root's rights, a program has them", async () => {
  await using stage = openStage();
  chmodSync(stage.dir, 0o1777);
  const gone = join(stage.dir, "gone");
  const { pid, images } = await held(stage, ["write", gone, "unlink", gone]);
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (reg?.name === gone) reg.mode = 0o104755;
  });
  edit(images, "ghost-file-1.img", ([ghost]) => (ghost.mode = 0o104755));
  await refused(stage, {
    id: "untrusted-setuid",
    also: "ghost-rights",
    images,
    pid,
    subject: `${gone}.cr.1.ghost`,
    done: () => expect(statSync(`/proc/${pid}/fd/3`).mode & 0o7777).toBe(0o4755),
  });
  const program = ownProgram(stage, "things");
  chmodSync(program, 0o4755);
  const tree = await start(stage, "things", [], { program });
  await refused(stage, {
    id: "untrusted-setuid",
    images: await dump(stage, tree.pid),
    pid: tree.pid,
    subject: program,
    done: () => expect(statSync(`/proc/${tree.pid}/exe`).mode & 0o4000).toBe(0o4000),
  });
});

test("untrusted-socket: in the place of a service, and connected to one", async () => {
  await using stage = openStage();
  const docker = join(stage.dir, "docker.sock");
  const server = await held(stage, ["listen", docker]);
  const named = await refused(stage, {
    id: "untrusted-socket",
    images: server.images,
    pid: server.pid,
    subject: docker,
    done: () => expect(statSync(docker).isSocket()).toBe(true),
    allow: [`--allow-write=${stage.dir}`],
  });
  expect(named.message).toContain("no live process has it");

  // Somebody alive has the name: CRIU takes it away from him.
  const taken = join(stage.dir, "taken");
  const late = await held(stage, ["listen", taken]);
  await run(stage, ["rm", taken]);
  const owner = await start(stage, "things", ["listen", taken]);
  const alone = ["--untrusted", "--ignore=unix-socket-busy"];
  const blocked = await report(stage, "restore", late.images, alone);
  expect([blocked.exit, ...new Set(blockers(blocked))]).toEqual([3, "untrusted-socket"]);
  expect(finding(blocked, "untrusted-socket").message).toContain(`${owner.pid} (things)`);
  const inode = statSync(taken).ino;
  expect((await restoreBare(stage, late.images)).exit).toBe(0);
  expect(statSync(taken).ino).not.toBe(inode);
  await killTree(stage, late.pid);

  const log = join(stage.dir, "log");
  const service = await start(stage, "things", ["dgram", log]);
  const client = await held(stage, ["connect", log], ["--ext-unix-sk"]);
  const talks = await refused(stage, {
    id: "untrusted-socket",
    images: client.images,
    pid: client.pid,
    subject: log,
    options: ["--ext-unix-sk"],
    done: (pid) => expect(alive(pid) && alive(service.pid)).toBe(true),
    allow: [`--allow-write=${stage.dir}`],
  });
  expect(talks.message).toContain("connect to the datagram socket");
});

test("untrusted-signal: a datagram to the tree kills a stranger", async () => {
  await using stage = openStage();
  const socket = join(stage.dir, "sock");
  const { pid, images } = await held(stage, ["dgram", socket]);
  const victim = await start(stage, "things", []);
  const O_ASYNC = 0o20000;
  edit(images, "files.img", (files) => {
    for (const { usk } of files)
      if (usk !== undefined) {
        usk.flags |= O_ASYNC;
        Object.assign(usk.fown, { pid: victim.pid, pid_type: 1, signum: 10 });
      }
  });
  const send = `import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", "${socket}")`;
  const blocked = await report(stage, "restore", images, ["--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-signal"]);
  expect(finding(blocked, "untrusted-signal")).toMatchObject({
    subject: `${victim.pid} (things)`,
    message: expect.stringContaining("gets signal 10"),
  });
  const lowered = await report(stage, "restore", images, [
    "--untrusted",
    "--ignore=untrusted-signal",
  ]);
  expect(lowered.exit).toBe(0);
  await killTree(stage, pid);

  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(alive(victim.pid)).toBe(true);
  expect((await run(stage, ["python3", "-c", send])).exit).toBe(0);
  await waitFor("the victim to be killed", () => !alive(victim.pid));
  await killTree(stage, pid);
});

test("untrusted-cgroup: a cgroup of others is joined", async () => {
  await using stage = openStage();
  const hierarchy = hierarchies().find(({ controllers }) => controllers.includes("pids"))!;
  const cgroup = makeCgroup(stage, hierarchy, "others");
  const { pid } = await start(stage, "things", [], { cgroups: [cgroup] });
  const images = await dump(stage, pid);
  const named = await refused(stage, {
    id: "untrusted-cgroup",
    images,
    pid,
    subject: cgroup,
    done: () => expect(readFileSync(join(cgroup, "cgroup.procs"), "utf8")).toContain(String(pid)),
    allow: ["--manage-cgroups=ignore"],
  });
  expect(named.remedy.command).toBe("--manage-cgroups=ignore");
});

test("untrusted-sched: before all others", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["fifo", "7", "0"]);
  await refused(stage, {
    id: "untrusted-sched",
    images: await dump(stage, pid),
    pid,
    subject: `thread ${pid}`,
    done: async () => {
      const { stdout } = await run(stage, ["chrt", "-p", String(pid)]);
      expect(stdout).toContain("SCHED_FIFO");
    },
  });
});

test("untrusted-limit: killed later than the caller when memory runs short", async () => {
  await using stage = openStage();
  const { pid, images } = await held(stage, []);
  edit(images, `core-${pid}.img`, ([core]) => (core.tc.oom_score_adj = 300));
  const under = ["choom", "-n", "500", "--"];
  expect((await bareUnder(stage, under, images)).exit).toBe(0);
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("300");
  await killTree(stage, pid);
  const blocked = await reportUnder(stage, under, "restore", images, ["-d", "--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-limit"]);
  expect(finding(blocked, "untrusted-limit").message).toContain("300, and the caller's is 500");
  const own = await report(stage, "restore", images, ["--untrusted"]);
  expect([own.exit, ...blockers(own)]).toEqual([0]);
  await killTree(stage, pid);
});

test("untrusted-mount: the images name a directory of this machine", async () => {
  await using stage = openStage();
  const [shared, secret] = [join(stage.dir, "shared"), join(stage.dir, "secret")];
  for (const dir of [shared, secret]) mkdirSync(dir);
  writeFileSync(join(secret, "key"), "secret");
  const { images, options } = await dumpContainer(stage, {
    mounts: [["bind", shared, "/shared"]],
    options: ["--external", "mnt[]"],
  });
  const [mountpoints] = [...new Bun.Glob("mountpoints-*.img").scanSync(images)];
  edit(images, mountpoints!, (mounts) => {
    for (const mount of mounts) if (mount.ext_key !== undefined) mount.source = secret;
  });
  const all = [...options, "--external", "mnt[]"];
  const bare = await restoreBare(stage, images, [...all, "--pidfile", join(stage.dir, "pid")]);
  expect([bare.exit, ...bare.errors.slice(1)]).toEqual([0]);
  const pid = Number(readFileSync(join(stage.dir, "pid"), "utf8"));
  expect(readFileSync(`/proc/${pid}/root/shared/key`, "utf8")).toBe("secret");
  await killTree(stage, pid);
  const blocked = await report(stage, "restore", images, ["--untrusted", ...all]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-mount"]);
  expect(finding(blocked, "untrusted-mount").subject).toBe(secret);
});

test("untrusted-images: others could exchange them meanwhile", async () => {
  await using stage = openStage();
  const { pid, images } = await held(stage, []);
  chownSync(images, 65534, 65534);
  const blocked = await report(stage, "restore", images, ["--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-images"]);
  expect(finding(blocked, "untrusted-images")).toMatchObject({ subject: images });
  chownSync(images, 0, 0);
  chmodSync(join(images, "files.img"), 0o666);
  const open = await report(stage, "preflight", images, ["--untrusted"]);
  expect(finding(open, "untrusted-images").subject).toBe(join(images, "files.img"));
  chmodSync(join(images, "files.img"), 0o644);
  const done = await report(stage, "restore", images, ["--untrusted"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  // That it runs as root no look can change: it is said.
  expect(finding(done, "untrusted-root")).toMatchObject({ severity: "warning", task: pid });
  await killTree(stage, pid);
});
