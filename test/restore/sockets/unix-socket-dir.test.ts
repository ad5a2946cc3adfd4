import { startDumped } from "../stage/dumped.ts";
import { HOSTILE, path, startThings } from "../hostile.ts";
import { ALICE, dumpInHome } from "../planted.ts";
import { blockers, finding, report } from "../report.ts";
import { dump, killTree, openStage, recriu, restoreBare, run, start, stateOf } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
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

/** Another owner's link in the place of a directory. */
function plant(target: string, at: string): void {
  rmSync(at, { recursive: true });
  symlinkSync(target, at);
  lchownSync(at, ALICE, ALICE);
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
  for (const each of [join(stage.dir, "alice"), sockets]) lchownSync(each, 0, 0);
  const preflight = await report(stage, "preflight", images);
  expect(preflight).toMatchObject({ exit: 4, plan: { repairs: [{ path: join(victim, "app") }] } });
  expect(finding(preflight, "unix-socket-dir").remedy.text).toContain(`which is ${victim}/app`);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
  expect(statSync(join(victim, "app/sock")).isSocket()).toBe(true);
});

test("a relative name whose directory is gone", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const { pid, images } = await startDumped(stage, "objects", [
    "chdir",
    dir,
    "dgram",
    "here",
    "chdir",
    "/",
  ]);
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
    expect((await recriu(stage, ["preflight", "-D", images, "--fix=none"])).stderr).toContain(
      command!,
    );
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

test("a user's directory in /run is his and closed to others; its parent is root's", async () => {
  await using stage = openStage({ ownState: true });
  const [directory, socket] = ["/run/user/1234", "/run/user/1234/socket"];
  await run(stage, ["install", "-d", directory]);
  const { pid, images } = await startDumped(stage, "objects", ["listen", socket]);
  const { run: there } = stateOf(stage);
  rmSync(join(there, "user"), { recursive: true });
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, failure: null, verdict: { result: "match" } });
  const of = (name: string) => {
    const { uid, gid, mode } = statSync(join(there, name));
    return [uid, gid, mode & 0o7777];
  };
  expect([of("user"), of("user/1234")]).toEqual([
    [0, 0, 0o755],
    [1234, 1234, 0o700],
  ]);
  await killTree(stage, pid);
});

test("the directory of another user's socket is that user's, where everybody may make one", async () => {
  await using stage = openStage();
  const directory = join(stage.dir, "everybody/app");
  mkdirSync(directory, { recursive: true });
  chmodSync(stage.dir, 0o755);
  chmodSync(join(stage.dir, "everybody"), 0o1777);
  const socket = join(directory, "socket");
  const { pid } = await start(stage, "objects", ["listen", socket]);
  chownSync(socket, ALICE, ALICE);
  const images = await dump(stage, pid);
  rmSync(directory, { recursive: true });
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, failure: null, verdict: { result: "match" } });
  const { uid, gid, mode } = statSync(directory);
  expect([uid, gid, mode & 0o7777, statSync(socket).uid]).toEqual([ALICE, ALICE, 0o755, ALICE]);
  await killTree(stage, pid);
});
