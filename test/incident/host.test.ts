/** The incident without a container: Xtigervnc and Chromium, their cgroup and the directory of their socket gone. */
import { copyOf } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { link } from "../dropin/as-criu.ts";
import {
  criu,
  descendants,
  killTree,
  makeDoomedCgroup,
  openStage,
  recriuBinary,
  run,
  type Stage,
  waitFor,
} from "../restore/stage.ts";
import { compile } from "../restore/stage/compile.ts";
import {
  asSaved,
  alive,
  alivePage,
  copyHome,
  desktopWords,
  dropPriority,
  dumpOptions,
  noDirectory,
  noPriority,
  sameWindows,
  windows,
} from "./desktop.ts";
import { type Host, makeHost } from "./host.ts";

async function start(stage: Stage, { enter }: Host, cgroup: string | undefined) {
  const [home, vnc, ready] = ["home", "vnc", "ready"].map((name) => join(stage.dir, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(home);
  const words = [compile("desktop"), ready, ...desktopWords({ vnc, home, page: alivePage })];
  const join_ = cgroup === undefined ? "" : `echo $$ >${cgroup}/cgroup.procs; `;
  const shell = `${join_}exec "$0" "$@" </dev/null >/dev/null 2>/dev/null`;
  const { pid } = await stage.supervisor.spawn([...enter, "sh", "-c", shell, ...words]);
  await waitFor("the desktop", () => existsSync(ready) && existsSync(vnc), 20_000);
  return { pid, home, vnc };
}

test("Chromium on Xtigervnc, without a container", async () => {
  await using stage = openStage();
  const host = await makeHost(stage);
  const doomed = makeDoomedCgroup(stage);
  const { pid, home, vnc } = await start(stage, host, doomed?.cgroup);
  const before = await alive(vnc, "host-before");
  const listed = await windows(host.run);
  expect(listed.join()).toContain("Chromium");

  const images = join(stage.dir, "images");
  mkdirSync(images);
  const dump = [criu, "dump", "-t", `${pid}`, "-D", images, "-o", "dump.log", ...dumpOptions];
  const { exit } = await host.run(dump);
  const dumpLog = join(images, "dump.log");
  expect([exit, exit && readFileSync(dumpLog, "utf8")]).toEqual([0, 0]);
  const tasks = readdirSync(images).filter((name) => name.startsWith("ids-")).length;
  expect(tasks).toBeGreaterThan(3);

  const saved = join(stage.dir, "saved");
  renameSync(home, saved);
  const sockets = join(host.tmp, ".X11-unix");
  const reset = (directory: boolean) => {
    copyHome(saved, home);
    rmSync(sockets, { recursive: true, force: true });
    if (directory) mkdirSync(sockets, { mode: 0o1777 });
  };
  const restore = async (
    program: string,
    from: string,
    { directory = false, options = [] as string[] } = {},
  ) => {
    reset(directory);
    const log = join(stage.dir, "restore.log");
    rmSync(log, { force: true });
    const words = ["restore", "-d", "-D", from, "-W", stage.dir, "-o", "restore.log"];
    // The program is one that is found by PATH, if its name is no path.
    const shell = ["sh", "-c", `PATH=${stage.dir}/bin:$PATH exec "$0" "$@"`];
    const given = [...words, "--ext-unix-sk", "--file-locks", ...options];
    const done = await host.run([...shell, program, ...given]);
    return { ...done, log: existsSync(log) ? readFileSync(log, "utf8") : "" };
  };
  const ignore = { options: ["--manage-cgroups=ignore"] };
  const lives = async (name: string, priority: number) => {
    sameWindows(before, await alive(vnc, name));
    expect(await windows(host.run)).toEqual(listed);
    expect(descendants(pid).length).toBeGreaterThan(3);
    const policies = (await run(stage, ["chrt", "-a", "-p", `${pid}`])).stdout;
    expect(policies).toContain("SCHED_RR|SCHED_RESET_ON_FORK\n");
    expect(policies).toMatch(new RegExp(`priority: ${priority}\n`));
    await killTree(stage, pid);
  };

  // Act 1: the directory of the socket.
  const first = await restore(criu, images);
  expect([first.exit, first.log]).toEqual([1, expect.stringMatching(noDirectory)]);
  const one = await restore(recriuBinary, images);
  expect([one.exit, one.stderr]).toEqual([0, expect.stringMatching(asSaved)]);
  await lives("host-after", 10);

  // Act 2: the cgroup. recriu is the `criu` that is found.
  link(stage);
  if (doomed !== null) {
    doomed.spoil();
    const second = await restore(criu, images, { directory: true });
    expect([second.exit, second.log]).toEqual([1, expect.stringContaining("cg: Can't move ")]);
    expect((await restore("criu", images, { directory: true })).exit).toBe(0);
    await lives("host-after-as-criu", 10);
  }

  // Act 3: the real-time thread's priority, which CRIU before 4.0 would not have written.
  const old = copyOf(stage, images, "old");
  dropPriority(old);
  const third = await restore(criu, old, { directory: true, ...ignore });
  expect([third.exit, third.log]).toEqual([1, expect.stringContaining(noPriority)]);
  expect((await restore(recriuBinary, old, { directory: true, ...ignore })).exit).toBe(0);
  await lives("host-after-old-images", 1);

  // All at once.
  expect((await restore(recriuBinary, old)).exit).toBe(0);
  await lives("host-after-all", 1);
}, 240_000);
