import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { restores } from "../stage-check.ts";
import {
  criu,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  recriuBinary,
  run,
  type Stage,
} from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

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
  return startDumped(stage, "sched", ["other", "0", "0"], {
    cgroups: [cgroup],
    dump: ["--manage-cgroups"],
  });
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
  const { images } = await startDumped(stage);
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
  const { images } = await startDumped(stage);
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
