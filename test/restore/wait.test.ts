/** --wait: what is in the way and ends by itself is waited for, and it is said for what. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { dumpIn, v2 } from "./cgroup-rules.ts";
import { freePort, TCP, UDP, withConnection, withSocket } from "./inet.ts";
import { dumpWithMounts } from "./mounts/mounts.ts";
import { NEWNET } from "./namespaces.ts";
import { finding, report } from "./report.ts";
import {
  criu,
  dump,
  killTree,
  makeCgroup,
  openStage,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { indices } from "./tree/ttys.ts";

/** Asks recriu to wait, ends what is in the way when it does, and says how it went and what was said. */
async function waits(
  stage: Stage,
  images: string,
  id: string,
  end: () => unknown,
  options: string[] = [],
) {
  const err = join(stage.dir, "err");
  const words = [
    "restore",
    "-d",
    "-D",
    images,
    "--wait=60",
    "-o",
    join(stage.dir, "r.log"),
    ...options,
  ];
  const argv = ["env", `RECRIU_CRIU=${criu}`, "NO_COLOR=1", recriuBinary, ...words];
  const child = await stage.supervisor.spawn(argv, {
    cwd: stage.dir,
    stderr: err,
    stdout: `${err}.o`,
  });
  await waitFor(
    "recriu to wait",
    () => existsSync(err) && readFileSync(err, "utf8").includes("waiting up to"),
  );
  await end();
  const exit = await child.exited;
  const [said] = /^waiting up to \d+ s for .*$/m.exec(readFileSync(err, "utf8")) ?? [""];
  expect(said).toContain(` s for ${id}: `);
  return exit;
}

test("a number that is taken", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const taker = await start(stage, "at-pid", [`${pid}`]);
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const exit = await waits(stage, images, "pid-in-use", () => killTree(stage, taker.pid));
  expect(exit).toBe(0);
});

test("the number of a terminal", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "terminal", ["pair"]);
  const [index] = indices(pid);
  const images = await dump(stage, pid);
  const taker = await start(stage, "terminal", ["pairs", `${index! + 1}`]);
  const exit = await waits(stage, images, "tty-index-busy", () => killTree(stage, taker.pid));
  expect(exit).toBe(0);
});

test("a directory that comes", async () => {
  await using stage = openStage();
  const cwd = join(stage.dir, "cwd");
  mkdirSync(cwd);
  const { images } = await startDumped(stage, "sched", ["other", "0", "0"], { cwd });
  rmSync(cwd, { recursive: true });
  const told = await report(stage, "preflight", images);
  expect(finding(told, "cwd-missing").severity).toBe("blocker");
  expect(await waits(stage, images, "cwd-missing", () => mkdirSync(cwd, 0o755))).toBe(0);
});

for (const [id, socket, kind] of [
  ["tcp-port-busy", TCP, "tcp"],
  ["udp-port-busy", UDP, "udp"],
] as const)
  test(`a port of somebody else: ${id}`, async () => {
    await using stage = openStage();
    const port = freePort();
    const { images } = await withSocket(stage, { ...socket, src_port: port });
    const other = await start(stage, "objects", [kind, `${port}`]);
    expect((await restoreBare(stage, images)).exit).toBe(1);
    expect(await waits(stage, images, id, () => killTree(stage, other.pid))).toBe(0);
  });

test("a connection of the program that was dumped", async () => {
  await using stage = openStage();
  const dst_port = freePort();
  const other = await start(stage, "tcp", [`${dst_port}`, "pair", join(stage.dir, "progress")]);
  const { stdout } = await run(stage, ["ss", "-Htn", `dport = :${dst_port}`]);
  const src_port = Number(/127\.0\.0\.1:(\d+) /.exec(stdout)![1]);
  const { images } = await withConnection(stage, { src_port, dst_port });
  const end = () => killTree(stage, other.pid);
  const options = ["--tcp-established", "--wait=90"];
  expect(await waits(stage, images, "tcp-connection-busy", end, options)).toBe(0);
}, 180_000);

test("a lock of somebody else", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  const { images } = await startDumped(stage, "objects", ["ofd", file], {
    dump: ["--file-locks"],
  });
  const other = await start(stage, "objects", ["ofd", file]);
  const end = () => killTree(stage, other.pid);
  expect(await waits(stage, images, "locks-held", end, ["--file-locks"])).toBe(0);
});

test("a socket's name of somebody else", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a");
  const { images } = await startDumped(stage, "objects", ["listen", name]);
  rmSync(name, { force: true });
  const other = await start(stage, "objects", ["listen", name]);
  const end = () => killTree(stage, other.pid);
  expect(await waits(stage, images, "unix-socket-busy", end)).toBe(0);
});

test("a file that comes", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "");
  const { images } = await startDumped(stage, "objects", ["ofd", file], {
    dump: ["--file-locks"],
  });
  renameSync(file, `${file}.away`);
  const end = () => renameSync(`${file}.away`, file);
  expect(await waits(stage, images, "file-missing", end, ["--file-locks"])).toBe(0);
});

test("a service that a socket was connected to starts", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "log");
  const service = await start(stage, "objects", ["dgram", name]);
  const { images } = await startDumped(stage, "objects", ["connect", name], {
    dump: ["--ext-unix-sk"],
  });
  await killTree(stage, service.pid);
  rmSync(name);
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const end = () => start(stage, "objects", ["dgram", name]);
  expect(await waits(stage, images, "unix-peer-down", end)).toBe(0);
});

test("the root of a container, and what is mounted in it, come", async () => {
  await using stage = openStage();
  const { root, images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  renameSync(data, `${data}.away`);
  expect((await restoreBare(stage, images, all)).exit).toBe(1);
  const back = () => renameSync(`${data}.away`, data);
  const done = await waits(stage, images, "external-mount-source-missing", back, all);
  expect(done).toBe(0);
  await using other = openStage();
  const away = await dumpWithMounts(other);
  const link = join(other.dir, "link");
  const there = ["--root", link, ...away.map(away.data)];
  expect((await restoreBare(other, away.images, there)).exit).toBe(1);
  const comes = () => symlinkSync(away.root, link);
  expect(await waits(other, away.images, "root-missing", comes, there)).toBe(0);
  expect(root).not.toBe(away.root);
});

test("a cgroup that is frozen is thawed", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { images } = await dumpIn(stage, cgroup);
  const freeze = (value: string) => writeFileSync(join(cgroup, "cgroup.freeze"), value);
  freeze("1");
  expect(await waits(stage, images, "cgroup-frozen", () => freeze("0"))).toBe(0);
});

test("a namespace to join comes", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const other = await stage.supervisor.spawn(["unshare", "--net", "sleep", "1000"], { cwd: "/" });
  const network = (of: string) => readlinkSync(`/proc/${of}/ns/net`);
  await waitFor("the other network", () => network(`${other.pid}`) !== network("self"));
  const file = join(stage.dir, "net");
  const options = ["--join-ns", `net:${file}`];
  expect((await restoreBare(stage, images, options)).exit).toBe(1);
  const comes = () => symlinkSync(`/proc/${other.pid}/ns/net`, file);
  expect(await waits(stage, images, "join-ns-missing", comes, options)).toBe(0);
  expect(network(`${pid}`)).toBe(network(`${other.pid}`));
});

test("the daemon of lazy pages starts", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "memory", ["plain"]);
  const work = join(stage.dir, "work");
  mkdirSync(work);
  const options = ["--lazy-pages", "-W", work];
  const serve = async () => {
    const words = ["lazy-pages", "-D", images, "-W", work, "-o", "lazy.log"];
    await stage.supervisor.spawn([criu, ...words]);
  };
  expect(await waits(stage, images, "lazy-pages-socket", serve, options)).toBe(0);
});

test("a terminal's device comes", async () => {
  await using stage = openStage();
  const device = join(stage.dir, "console");
  const make = () => run(stage, ["mknod", "-m", "620", device, "c", "4", "20"]);
  await make();
  const { images } = await startDumped(stage, "terminal", ["open", device]);
  rmSync(device);
  expect((await restoreBare(stage, images)).exit).toBe(1);
  expect(await waits(stage, images, "tty-device-missing", make)).toBe(0);
});

test("the far end of a veth pair whose tree has just ended", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["unshare", NEWNET]);
  const far = `rq${pid}`;
  const sh = (words: string) => run(stage, ["sh", "-c", words]);
  expect(await sh(`ip link add ${far} type veth peer name eth0 netns ${pid}`)).toMatchObject({
    exit: 0,
  });
  const images = await dump(stage, pid, ["--network-lock=nftables"]);
  await waitFor("the pair to be gone", () => !existsSync(`/sys/class/net/${far}`));
  // In the place of a pair that the kernel takes its time for.
  expect(await sh(`ip link add ${far} type bridge`)).toMatchObject({ exit: 0 });
  const options = ["--external", `veth[eth0]:${far}`];
  const remove = () => sh(`ip link delete dev ${far} type bridge`);
  try {
    expect((await restoreBare(stage, images, options)).exit).toBe(1);
    expect(await waits(stage, images, "net-link", remove, options)).toBe(0);
  } finally {
    await remove();
  }
});

test("what does not end is a blocker when the time is over; for what cannot end nothing is waited", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  await start(stage, "at-pid", [`${pid}`]);
  const late = await recriu(stage, ["restore", "-d", "-D", images, "--wait=1"]);
  expect([late.exit, late.stderr.includes("waiting up to 1 s for pid-in-use: ")]).toEqual([
    3,
    true,
  ]);
  rmSync(join(images, `mm-${pid}.img`));
  const never = await recriu(stage, ["restore", "-d", "-D", images, "--wait=60"]);
  expect([never.exit, never.stderr.includes("waiting")]).toEqual([6, false]);
});
