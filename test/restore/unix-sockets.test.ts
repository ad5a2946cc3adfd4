/** Unix sockets whose directory, peer or queue is not what it was. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { stageCheck } from "./stage-check.ts";
import { HOSTILE, path, startThings } from "./hostile.ts";
import { blockers, finding, report } from "./report.ts";
import { dump, killTree, openStage, recriu, restoreBare, run, type Stage, start } from "./stage.ts";
import { typed } from "./typed.ts";

const LIMIT = "/proc/sys/net/unix/max_dgram_qlen";

async function held(stage: Stage, things: string[], options: string[] = []) {
  const { pid } = await start(stage, "things", things);
  return { pid, images: await dump(stage, pid, options) };
}

test("no fault, no finding", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "socket");
  const deleted = join(stage.dir, "deleted");
  const things = ["listen", name, "dgram", deleted, "unlink", deleted, "queue", "3", `${name}.q`];
  const { images } = await held(stage, [...things, "accepted", `${name}.a`]);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    findings: [],
    verdict: { result: "match" },
  });
});

test("a relative name whose directory is gone", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const { pid, images } = await held(stage, ["chdir", dir, "dgram", "here", "chdir", "/"]);
  rmSync(dir, { recursive: true });
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-socket-dir"]);
  expect(preflight.plan.outcome).toBe("repairable");
  const bare = await restoreBare(stage, images);
  expect(bare.log).toContain(finding(preflight, "unix-socket-dir").criu_message!);
  expect(bare.exit).toBe(1);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
  rmSync(dir, { recursive: true });
  expect((await typed(stage, preflight, "unix-socket-dir")).exit).toBe(0);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
});

for (const shell of ["sh", "bash"])
  test(`unix-socket-dir: a hostile name of it comes through ${shell} as it is`, async () => {
    await using stage = openStage();
    const dir = path(stage.dir, "/", HOSTILE);
    const there = () =>
      readdirSync(stage.dir, { encoding: "buffer" }).some((name) => name.equals(HOSTILE));
    mkdirSync(dir);
    const { pid } = await startThings(stage, ["listen", path(dir, "/s")]);
    const images = await dump(stage, pid);
    rmSync(dir, { recursive: true });
    expect(there()).toBe(false);

    const preflight = await report(stage, "preflight", images);
    expect(blockers(preflight)).toEqual(["unix-socket-dir"]);
    expect((await restoreBare(stage, images)).exit).toBe(1);
    const { command } = finding(preflight, "unix-socket-dir").remedy;
    expect((await recriu(stage, ["preflight", "-D", images])).stderr).toContain(command!);
    expect(command!).toMatch(
      /^name1=\$\(printf '[ -~é]*'\) && install -d -m 0755 -o 0 -g 0 "\$\{name1%\.\}"$/,
    );
    expect(await run(stage, [shell, "-c", command!])).toMatchObject({ exit: 0, stderr: "" });
    expect(there()).toBe(true);
    expect(readdirSync(stage.dir)).not.toContain("PWNED");

    expect((await restoreBare(stage, images)).exit).toBe(0);
    await killTree(stage, pid);
    rmSync(dir, { recursive: true });
    const done = await report(stage, "restore", images);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(there()).toBe(true);
    await killTree(stage, pid);
    expect(existsSync(path(dir, "/s"))).toBe(true);
  });

test("unix-socket-dir-owner: whoever owns .X11-unix takes the tree's socket away", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, ".X11-unix");
  const socket = join(dir, "X7");
  chmodSync(stage.dir, 0o755);
  const make = (uid: number, mode: number) => {
    mkdirSync(dir);
    chownSync(dir, uid, uid);
    chmodSync(dir, mode);
  };
  make(0, 0o1777);
  const { pid, images } = await held(stage, ["listen", socket]);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);

  chmodSync(dir, 0o777);
  const open = finding(await report(stage, "preflight", images), "unix-socket-dir-owner");
  expect(open).toMatchObject({ severity: "warning", subject: dir, criu_message: null });
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "unix-socket-dir-owner")).exit).toBe(0);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);

  rmSync(dir, { recursive: true });
  make(1000, 0o1777);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  // Harm: the file that root's server is bound to is another user's to exchange.
  const alice = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
  expect((await run(stage, [...alice, "mv", socket, join(dir, "taken")])).stderr).toBe("");
  await killTree(stage, pid);
  rmSync(join(dir, "taken"));

  const named = finding(await report(stage, "preflight", images), "unix-socket-dir-owner");
  expect(named).toMatchObject({ severity: "warning", subject: dir });
  expect(named.message).toContain(`${dir} belongs to uid 1000`);
  expect((await run(stage, ["sh", "-c", named.remedy.command!])).exit).toBe(0);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.findings.map(({ id }) => id)).toEqual(["unix-socket-dir"]);
  expect(statSync(dir)).toMatchObject({ uid: 0, mode: 0o041777 });
  await killTree(stage, pid);
});

test("unix-socket-unwritable: the directory is immutable", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const { pid, images } = await held(stage, ["dgram", join(dir, "a")]);
  rmSync(join(dir, "a"));
  const mark = async (word: string) =>
    expect((await run(stage, ["chattr", word, dir])).stderr).toBe("");
  await mark("+i");
  try {
    const named = await stageCheck({
      id: "unix-socket-unwritable",
      stage,
      images,
      pid,
      subject: dir,
      mend: "typed",
    });
    expect(named.remedy.command).toBe(`chattr -i ${dir}`);
  } finally {
    await run(stage, ["chattr", "-i", dir]);
  }
});

test("unix-socket-unwritable: the file system is read-only", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const { pid, images } = await held(stage, ["dgram", join(dir, "a")]);
  rmSync(join(dir, "a"));
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  const named = await stageCheck({
    id: "unix-socket-unwritable",
    stage,
    images,
    pid,
    subject: dir,
    mend: "typed",
  });
  expect(named.criu_message).toContain("Read-only file system");
});

test("unix-socket-busy: a server that was bound by a relative name is known by its file", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a");
  const { pid, images } = await held(stage, ["listen", name]);
  rmSync(name);
  const other = await start(stage, "things", ["listen", "a"], { cwd: stage.dir });
  const told = await report(stage, "preflight", images);
  const busy = finding(told, "unix-socket-busy");
  expect(busy).toMatchObject({ severity: "blocker", subject: name, criu_message: null });
  expect(busy.remedy.command).toBe(`kill ${other.pid}`);
  // Bare CRIU takes the name away from it, and says nothing.
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  expect((await typed(stage, told, "unix-socket-busy")).exit).toBe(0);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
});

for (const [what, things] of [
  ["an accepted connection", (name: string) => ["accepted", name]],
  ["a deleted socket", (name: string) => ["dgram", name, "unlink", name]],
] as const) {
  test(`unix-socket-busy: ${what} makes CRIU remove the file of a live server`, async () => {
    await using stage = openStage();
    const name = join(stage.dir, "a");
    const { pid, images } = await held(stage, things(name));
    rmSync(name, { force: true });
    const other = await start(stage, "things", ["listen", name]);
    const before = await report(stage, "preflight", images);
    expect(blockers(before)).toEqual(["unix-socket-busy"]);
    expect(finding(before, "unix-socket-busy").subject).toBe(name);
    expect((await run(stage, ["test", "-S", name])).exit).toBe(0);
    expect((await restoreBare(stage, images)).exit).toBe(0);
    expect((await run(stage, ["test", "-e", name])).exit).toBe(1);
    await killTree(stage, pid);
    await killTree(stage, other.pid);
    expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  });
}

test("unix-socket-ghost: a file stands where the directory was", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const name = join(dir, "a");
  const { pid, images } = await held(stage, ["dgram", name, "unlink", name]);
  rmdirSync(dir);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  writeFileSync(dir, "");
  await stageCheck({ id: "unix-socket-ghost", stage, images, pid, subject: name, mend: "typed" });
});

test("unix-socket-ghost: the directory of a relative name is gone", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const things = ["chdir", dir, "dgram", "a", "unlink", "a", "chdir", "/"];
  const { pid, images } = await held(stage, things);
  rmdirSync(dir);
  await stageCheck({
    id: "unix-socket-ghost",
    stage,
    images,
    pid,
    subject: join(dir, "a"),
    mend: "typed",
  });
});

test("unix-socket-ghost: a name of the greatest length", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a".repeat(106 - stage.dir.length));
  expect(name.length).toBe(107);
  const { images } = await held(stage, ["dgram", name, "unlink", name]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-socket-ghost"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-socket-ghost").criu_message!);
});

test("unix-socket-external: CRIU wants to be told, and recriu tells it", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "middle");
  const outside = join(stage.dir, "outside");
  await start(stage, "things", ["dgram", outside]);
  const { pid, images } = await held(stage, ["between", name, outside], ["--ext-unix-sk"]);
  // CRIU does not find what comes later in files.img.
  const lost = await report(stage, "preflight", images, ["--ext-unix-sk"]);
  expect(blockers(lost)).toEqual(["unix-peer-missing"]);
  const unresolved = await restoreBare(stage, images, ["--ext-unix-sk"]);
  expect(unresolved.exit).toBe(1);
  expect(unresolved.log).toContain(finding(lost, "unix-peer-missing").criu_message!);
  edit(images, "files.img", (files) => {
    const [first, ...others] = files.filter(({ usk }) => usk !== undefined);
    const order = [...others, { ...first }].map((file) => ({ ...file }));
    for (const [index, file] of [first, ...others].entries()) Object.assign(file, order[index]);
  });

  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-socket-external"]);
  expect(finding(preflight, "unix-socket-external").subject).toBe(outside);
  expect(preflight.plan).toMatchObject({ outcome: "ready", options: ["--ext-unix-sk"] });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-socket-external").criu_message!);
  expect((await typed(stage, preflight, "unix-socket-external")).exit).toBe(0);
  await killTree(stage, pid);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0 });
  await killTree(stage, pid);
  expect((await report(stage, "restore", images, ["--ext-unix-sk"])).findings).toEqual([]);
});

test("unix-peer-missing: the dump left the other end of a stream out", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "server");
  await start(stage, "things", ["listen", name]);
  const { pid } = await start(stage, "things", ["client", name]);
  const ino = /\d+/.exec(readlinkSync(`/proc/${pid}/fd/3`))![0];
  const images = await dump(stage, pid, [`--ext-unix-sk=${ino}`]);
  const preflight = await report(stage, "preflight", images, ["--ext-unix-sk"]);
  expect(blockers(preflight)).toEqual(["unix-peer-missing"]);
  const bare = await restoreBare(stage, images, ["--ext-unix-sk"]);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-peer-missing").criu_message!);
});

test("unix-peer-down: nobody listens at the path of a datagram service", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "log");
  const service = await start(stage, "things", ["dgram", name]);
  const { pid, images } = await held(stage, ["connect", name], ["--ext-unix-sk"]);
  // CRIU does not ask for the option here, so neither does recriu.
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  await killTree(stage, service.pid);
  const down = await stageCheck({
    id: "unix-peer-down",
    stage,
    images,
    pid,
    subject: name,
    mend: async () => {
      rmSync(name);
      await start(stage, "things", ["dgram", name]);
    },
  });
  expect(down.criu_message).toContain("Connection refused");
});

test("unix-peer-down: an abstract name, and a path that is gone", async () => {
  await using stage = openStage();
  const options = ["--ext-unix-sk"];
  for (const name of [`@${stage.dir}`, join(stage.dir, "gone")]) {
    const service = await start(stage, "things", ["dgram", name]);
    const { pid, images } = await held(stage, ["connect", name], options);
    expect(blockers(await report(stage, "preflight", images, options))).toEqual([]);
    await killTree(stage, service.pid);
    rmSync(name, { force: true });
    await stageCheck({
      id: "unix-peer-down",
      stage,
      images,
      pid,
      subject: name,
      options,
      mend: async () => void (await start(stage, "things", ["dgram", name])),
    });
  }
});

test("unix-peer-missing: one end of a pair is not in the images", async () => {
  await using stage = openStage();
  const { images } = await held(stage, ["accepted", join(stage.dir, "a")]);
  edit(images, "files.img", (files) => {
    const one = files.find(({ usk }) => usk?.peer);
    one.usk.peer = 4_000_000_000;
  });
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-peer-missing"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-peer-missing").criu_message!);
});

test("unix-queue-too-long: the dump's machine let more datagrams wait", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a");
  const limit = Number(readFileSync(LIMIT, "utf8"));
  const set = (value: number) => writeFileSync(LIMIT, String(value));
  set(limit + 5);
  try {
    const { pid, images } = await held(stage, ["queue", String(limit + 3), name]);
    set(limit);
    const named = await stageCheck({
      id: "unix-queue-too-long",
      stage,
      images,
      pid,
      subject: name,
      mend: "typed",
    });
    expect(named.remedy.command).toBe(`sysctl -w net.unix.max_dgram_qlen=${limit + 3}`);
    set(limit);
    const fits = await held(stage, ["queue", String(limit + 1), `${name}.fits`]);
    expect((await report(stage, "restore", fits.images)).exit).toBe(0);
  } finally {
    set(limit);
  }
});
