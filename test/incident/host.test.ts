/** The incident without a container: Xtigervnc and Chromium, their cgroup and the directory of their socket gone. */
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { edit } from "../restore/edit.ts";
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
import { alive, desktopWords, DISPLAY, alivePage, dumpOptions, sameWindows } from "./desktop.ts";
import { type Host, makeHost } from "./host.ts";

async function start(stage: Stage, { enter }: Host, cgroup: string | undefined) {
  const [home, vnc, ready] = ["home", "vnc", "ready"].map((name) => join(stage.dir, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(home);
  const words = [
    compile("desktop"),
    ready,
    ...desktopWords({ vnc, home, page: alivePage, browser: "chromium" }),
  ];
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

  const images = join(stage.dir, "images");
  mkdirSync(images);
  const dumped = await host.run([
    criu,
    "dump",
    "-t",
    `${pid}`,
    "-D",
    images,
    "-o",
    "dump.log",
    ...dumpOptions,
  ]);
  expect([
    dumped.exit,
    dumped.exit === 0 ? "" : readFileSync(join(images, "dump.log"), "utf8"),
  ]).toEqual([0, ""]);
  const tasks = readdirSync(images).filter((name) => name.startsWith("ids-")).length;
  expect(tasks).toBeGreaterThan(3);

  // A restored browser writes to its profile: each restore begins with that of the dump.
  const saved = join(stage.dir, "saved");
  renameSync(home, saved);
  const sockets = join(host.tmp, ".X11-unix");
  const lose = () => {
    rmSync(home, { recursive: true, force: true });
    cpSync(saved, home, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    rmSync(sockets, { recursive: true, force: true });
  };
  const restore = async (program: string, from: string, ...options: string[]) => {
    lose();
    const log = join(stage.dir, "restore.log");
    rmSync(log, { force: true });
    const words = [
      "restore",
      "-d",
      "-D",
      from,
      "-W",
      stage.dir,
      "-o",
      "restore.log",
      "--ext-unix-sk",
      "--file-locks",
    ];
    const done = await host.run([program, ...words, ...options]);
    return { ...done, log: existsSync(log) ? readFileSync(log, "utf8") : "" };
  };
  doomed?.spoil();

  if (doomed !== null) {
    const first = await restore(criu, images);
    expect([first.exit, first.log]).toEqual([1, expect.stringContaining("cg: Can't move ")]);
  }
  const second = await restore(criu, images, "--manage-cgroups=ignore");
  expect(second.exit).toBe(1);
  expect(second.log).toMatch(
    /unix: Can't bind id \S+ ino \d+ addr \/tmp\/\.X11-unix\/X7: No such file/,
  );

  const restored = await restore(recriuBinary, images);
  expect([restored.exit, restored.stderr]).toEqual([
    0,
    expect.stringContaining("the tree is the saved one"),
  ]);
  sameWindows(before, await alive(vnc, "host-after"));
  const client = await host.run(["env", `DISPLAY=:${DISPLAY}`, "xdpyinfo"]);
  expect([client.exit, client.stdout]).toEqual([
    0,
    expect.stringContaining("name of display:    :7"),
  ]);
  await killTree(stage, pid);

  // As CRIU before 4.0 would have written them: the real-time thread's priority is not there.
  const old = join(stage.dir, "old");
  cpSync(images, old, { recursive: true });
  for (const file of readdirSync(old).filter((name) => name.startsWith("core-")))
    edit(old, file, ([{ thread_core }]) => {
      if (thread_core.sched_policy >= 0x40000000) delete thread_core.sched_prio;
    });
  lose();
  mkdirSync(sockets, { mode: 0o1777 });
  const third = await host.run([
    criu,
    "restore",
    "-d",
    "-D",
    old,
    "-W",
    stage.dir,
    "-o",
    "third.log",
    "--ext-unix-sk",
    "--file-locks",
    "--manage-cgroups=ignore",
  ]);
  expect(third.exit).toBe(1);
  expect(readFileSync(join(stage.dir, "third.log"), "utf8")).toContain(
    "Inconsistent sched params received (1073741826.0.0)",
  );
  expect((await restore(recriuBinary, old)).exit).toBe(0);
  sameWindows(before, await alive(vnc, "host-after-old-images"));
  const policies = (await run(stage, ["chrt", "-a", "-p", `${pid}`])).stdout;
  expect(policies).toMatch(/SCHED_RR\|SCHED_RESET_ON_FORK\n.*priority: 1\n/);
  expect(descendants(pid).length).toBeGreaterThan(3);
  await killTree(stage, pid);
}, 120_000);
