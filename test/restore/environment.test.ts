/** Where CRIU writes, its pid file, scripts, and /tmp. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { restores, stageCheck } from "./stage-check.ts";
import { finding, report } from "./report.ts";
import {
  criu,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { programs, typed } from "./typed.ts";

const dumpOf = async (stage: Stage) => {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  return { pid, images: await dump(stage, pid) };
};

test("pidfile-exists: of a run before", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  const pidfile = join(stage.dir, "pid");
  const options = ["--pidfile", pidfile];
  // CRIU finds out when it has restored everything.
  writeFileSync(pidfile, "4194303");
  const stale = await stageCheck({ id: "pidfile-exists", stage, images, options });
  expect(stale.message).toContain("process 4194303, which it names, is gone");
  expect(stale.remedy.command).toBe(`rm ${pidfile}`);
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "pidfile-exists")).exit).toBe(0);
  expect(existsSync(pidfile)).toBe(false);
  writeFileSync(pidfile, `${process.pid}\n`);
  const live = await stageCheck({ id: "pidfile-exists", stage, images, options });
  expect(live.message).toContain(`it names process ${process.pid} (`);
  expect(live.remedy.command).toBe(`mv ${pidfile} ${pidfile}.aside`);
  const alive = await report(stage, "preflight", images, options);
  expect((await typed(stage, alive, "pidfile-exists")).exit).toBe(0);
  // A link that leads nowhere is in the way too.
  symlinkSync("/nowhere/pid", pidfile);
  await stageCheck({ id: "pidfile-exists", stage, images, options });
  rmSync(pidfile);
  await restores(stage, images, { options });
  expect(readFileSync(pidfile, "utf8")).toBe(`${pid}`);
});

test("pidfile-exists: its directory is gone, and recriu makes it", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  const pidfile = join(stage.dir, "gone/pid");
  const bare = await restoreBare(stage, images, ["--pidfile", pidfile]);
  expect(bare.exit).toBe(1);
  const preflight = await report(stage, "preflight", images, ["--pidfile", pidfile]);
  expect(preflight.exit).toBe(4);
  expect(bare.log).toContain(finding(preflight, "pidfile-exists").criu_message!);
  expect(await report(stage, "restore", images, ["--pidfile", pidfile])).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
  expect(readFileSync(pidfile, "utf8")).toBe(`${pid}`);
});

test("pidfile-exists: a relative one is in the work directory", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
  const work = join(stage.dir, "work");
  mkdirSync(work);
  writeFileSync(join(work, "pid"), "");
  const options = ["-W", work, "--pidfile", "pid"];
  const preflight = await report(stage, "preflight", images, options);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "pidfile-exists").subject).toBe(join(work, "pid"));
  expect((await report(stage, "restore", images, ["-W", work, "--pidfile", "other"])).exit).toBe(0);
  expect(existsSync(join(work, "other"))).toBe(true);
});

test("script-not-executable", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
  const script = join(stage.dir, "script");
  const options = ["--action-script", script];
  await stageCheck({ id: "script-not-executable", stage, images, options });
  writeFileSync(script, "#!/bin/sh\nexit 0\n", { mode: 0o644 });
  const named = await stageCheck({ id: "script-not-executable", stage, images, options });
  expect(named.remedy.command).toBe(`chmod +x ${script}`);
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "script-not-executable")).exit).toBe(0);
  writeFileSync(script, "#!/nowhere/sh\nexit 0\n");
  await stageCheck({ id: "script-not-executable", stage, images, options });
  writeFileSync(script, "exit 0\n"); // without a first line it is one of sh
  await restores(stage, images, { options });
});

test("script-not-executable: a name is looked for in PATH", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
  const options = ["--action-script", "recriu-no-such-script"];
  await stageCheck({ id: "script-not-executable", stage, images, options });
  await restores(stage, images, { options: ["--action-script", "true"] });
});

/** Under a command whose mount namespace has `path` read-only. */
const readOnly = (path: string) => [
  "unshare",
  "-m",
  "sh",
  "-c",
  `mount --bind '${path}' '${path}' && mount -o remount,bind,ro '${path}' && exec "$@"`,
  "sh",
];

/** Images with cgroups: a tree in one of its own. */
async function dumpInCgroup(stage: Stage) {
  const cgroup = makeCgroup(stage, hierarchies()[0]!, "workload");
  const { pid } = await start(stage, "sched", ["other", "0", "0"], { cgroups: [cgroup] });
  return { pid, images: await dump(stage, pid, ["--manage-cgroups"]) };
}

test("work-dir-unwritable: read-only images", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpInCgroup(stage);
  const under = readOnly(images);
  const words = (program: string, ...more: string[]) => [
    ...under,
    program,
    "restore",
    "-d",
    "-D",
    images,
    ...more,
  ];
  // recriu works elsewhere, unasked, as nothing else depends on where.
  const preflight = await run(stage, [
    ...under,
    recriuBinary,
    "preflight",
    "-D",
    images,
    "--json",
    `--criu=${criu}`,
  ]);
  const { findings, plan } = JSON.parse(preflight.stdout);
  expect(findings).toMatchObject([{ id: "work-dir-unwritable", severity: "blocker" }]);
  expect(plan.options).toEqual(["--work-dir=/run"]);
  const bare = await run(stage, words(criu));
  expect(bare.exit).toBe(1);
  expect(bare.stdout + bare.stderr).toContain(findings[0].criu_message);
  const done = await run(stage, words(recriuBinary, `--criu=${criu}`));
  expect(done.exit).toBe(0);
  await killTree(stage, pid);
  rmSync("/run/stats-restore", { force: true });

  // With a log in the images directory only the user can say where it shall go.
  const logged = await run(
    stage,
    words(recriuBinary, `--criu=${criu}`, "-o", "restore.log", "--json"),
  );
  expect(logged.exit).toBe(3);
  const log = JSON.parse(logged.stdout).findings[0];
  const unlogged = await run(stage, words(criu, "-o", "restore.log"));
  expect(unlogged.exit).toBe(1);
  expect(unlogged.stdout + unlogged.stderr).toContain(log.criu_message);
  const elsewhere = await typed(stage, JSON.parse(logged.stdout), "work-dir-unwritable", { under });
  expect(elsewhere.exit).toBe(0);
  expect(existsSync("/run/criu-work/restore.log")).toBe(true);
  rmSync("/run/criu-work", { recursive: true });
  await killTree(stage, pid);
  const work = join(stage.dir, "work");
  mkdirSync(work);
  const told = await run(
    stage,
    words(recriuBinary, `--criu=${criu}`, "-o", "restore.log", "-W", work),
  );
  expect(told.exit).toBe(0);
  expect(existsSync(join(work, "restore.log"))).toBe(true);
});

test("work-dir-unwritable: without cgroups and log it is worth no more than a line", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
  const done = await run(stage, [
    ...readOnly(images),
    recriuBinary,
    "restore",
    "-d",
    "-D",
    images,
    "--json",
    `--criu=${criu}`,
  ]);
  expect(done.exit).toBe(0);
  expect(JSON.parse(done.stdout).findings).toMatchObject([
    { id: "work-dir-unwritable", severity: "info" },
  ]);
});

test("work-dir-unwritable: there is no such directory", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
  const work = join(stage.dir, "work");
  const told = await report(stage, "preflight", images, ["-W", work]);
  const named = finding(told, "work-dir-unwritable");
  const bare = await run(stage, [criu, "restore", "-d", "-D", images, "-W", work]);
  expect(bare.exit).toBe(1);
  expect(bare.stdout + bare.stderr).toContain(named.criu_message!);
  expect((await typed(stage, told, "work-dir-unwritable")).exit).toBe(0);
  await restores(stage, images, { options: ["-W", work] });
  expect(readFileSync(join(work, "stats-restore")).length).toBeGreaterThan(0);
});

/**
 * In a mount namespace whose /tmp is a read-only tmpfs, empty but for this repository, should it be there; what is in
 * the real one is seen below /mnt.
 */
const withoutTmp = () => {
  const root = join(import.meta.dir, "../..");
  const keep = root.startsWith("/tmp/")
    ? `mkdir -p ${root} && mount --bind /mnt/${root.slice("/tmp/".length)} ${root} &&`
    : "";
  const moved = (path: string) =>
    path.startsWith("/tmp/") ? `/mnt${path.slice("/tmp".length)}` : path;
  const under = [
    "unshare",
    "-m",
    "sh",
    "-c",
    `mount --bind /tmp /mnt && mount -t tmpfs none /tmp && ${keep} mount -o remount,ro /tmp && cd / && exec "$@"`,
    "sh",
  ];
  return { moved, under };
};

test("tmp-missing: CRIU cannot even start", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  const { moved, under } = withoutTmp();
  const program = moved(criu);
  const words = (binary: string, ...more: string[]) => [
    ...under,
    binary,
    "restore",
    "-d",
    "-D",
    moved(images),
    ...more,
  ];
  const said = await run(stage, words(moved(recriuBinary), "--json", `--criu=${program}`));
  expect(said.exit).toBe(3);
  const named = JSON.parse(said.stdout).findings.find(
    ({ id }: { id: string }) => id === "tmp-missing",
  );
  expect(named).toMatchObject({ severity: "blocker", subject: "/tmp" });
  const bare = await run(stage, words(program));
  expect(bare.exit).toBe(1);
  const [message] = named.criu_message.split("XXXXXX");
  expect(bare.stdout + bare.stderr).toContain(message);
  const PATH = `${moved(programs(stage))}:${process.env["PATH"]}`;
  const here = { under, thenRestore: true, env: { PATH, RECRIU_CRIU: program } } as const;
  expect((await typed(stage, JSON.parse(said.stdout), "tmp-missing", here)).exit).toBe(0);
  await killTree(stage, pid);
  await restores(stage, images);
});
