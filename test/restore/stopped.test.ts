/** What the kernel does with a tree when those above it end: stopped jobs, orphans. Every stand leaves it as CRIU alone would at its best. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { link } from "../dropin/as-criu.ts";
import {
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  processOf,
  recriu,
  recriuBinary,
  run,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";

/** A job that was stopped when it was dumped, or not. */
async function dumpJob(stage: Stage, kind: string, stopped: boolean) {
  const shell = await start(stage, "job", [kind]);
  const job = descendants(shell.pid).find(({ ppid }) => ppid === shell.pid)!.pid;
  if (stopped) {
    process.kill(job, "SIGSTOP");
    await waitFor("the job to stop", () => processOf(job)?.state === "T");
  }
  const images = await dump(stage, job, ["--shell-job"]);
  await killTree(stage, shell.pid);
  return { job, images };
}

/** Runs the words in a session that goes on; `control`: as a job of their own. Says how it ended, and the job's state after that. */
async function inSession(stage: Stage, job: number, words: string[], control = false) {
  const look = `code=$?; sleep 0.2; cut -d' ' -f3 /proc/${job}/stat; exit $code`;
  const argv = ["bash", "-c", `${control ? "set -m; " : ""}"$@"; ${look}`, "bash", ...words];
  return run(stage, argv, { env: { RECRIU_CRIU: criu } });
}

const stands: [string, (stage: Stage) => string, string[]][] = [
  ["recriu", () => recriuBinary, []],
  ["criu", link, []],
  ["recriu", () => recriuBinary, ["--restore-sibling"]],
  ["recriu", () => recriuBinary, ["--verify=off"]],
];
for (const [name, program, more] of stands)
  for (const kind of ["alone", "in-group"])
    test(`a stopped job (${kind}) that ${name} restores ${more} stays stopped when all above it have ended`, async () => {
      await using stage = openStage();
      const { job, images } = await dumpJob(stage, kind, true);
      const words = ["restore", "-d", "--shell-job", "-D", images, "-o", "r.log", ...more];
      for (const control of [false, true]) {
        const done = await inSession(stage, job, [program(stage), ...words], control);
        expect(done).toMatchObject({ exit: 0, stdout: "T\n" });
        // The keeper of its group has gone, and no process of recriu's is above it.
        const tree = [job, ...descendants(job)];
        await waitFor(
          "the keeper to end",
          () => descendants(stage.supervisor.pid).length === tree.length,
        );
        await killTree(stage, job);
      }
    });

test("a job that is to be left stopped stays so", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage, "alone", false);
  const words = ["restore", "-dj", "--leave-stopped", "-D", images, "-o", "r.log"];
  for (const program of [recriuBinary, link(stage)]) {
    const done = await inSession(stage, job, [program, ...words]);
    expect(done).toMatchObject({ exit: 0, stdout: "T\n" });
    await killTree(stage, job);
  }
});

test("attached: orphans of the running tree are adopted by who would adopt them without recriu", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["family"]);
  const [job, child] = descendants(pid).map((process) => process.pid);
  const images = await dump(stage, pid);
  const log = join(stage.dir, "r.log");
  const attached = recriu(stage, ["restore", "-D", images, "-v4", "-o", log]);
  await waitFor(
    "the tree to run",
    () => existsSync(log) && readFileSync(log, "utf8").includes("Tasks resumed"),
  );
  process.kill(job!, "SIGKILL");
  await waitFor("the child to be an orphan", () => processOf(child!)!.ppid !== job);
  expect(processOf(child!)!.ppid).toBe(stage.supervisor.pid);
  process.kill(child!, "SIGKILL");
  await killTree(stage, pid);
  expect((await attached).exit).toBe(0);
});
