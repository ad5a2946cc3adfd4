/** What becomes of a tree right after it runs: recriu says how it ended, and ends as CRIU does. */
import { expect, test } from "bun:test";
import { constants } from "node:os";
import { existsSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { INITIAL_PID_NAMESPACE } from "../../src/sys/linux.ts";
import { kill } from "./stage/processes.ts";
import {
  alive,
  descendants,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  processOf,
  recriu,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";

async function dumpTwo(stage: Stage) {
  const { pid } = await start(stage, "ends");
  const [child] = descendants(pid);
  return { root: pid, child: child!.pid, images: await dump(stage, pid) };
}

/** recriu restores; once its tree runs, `act` does something to it. */
async function during(
  stage: Stage,
  images: string,
  words: string[],
  root: number,
  act: () => void,
) {
  const log = join(stage.dir, `restored-${++stage.count}`);
  const script = join(stage.dir, "tell");
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-resume ] || : >"$TOLD"\n`, {
    mode: 0o755,
  });
  const options = ["restore", "-D", images, "--action-script", script, ...words];
  const done = recriu(stage, options, { env: { TOLD: log } });
  await waitFor("the tree to run", () => existsSync(log));
  act();
  return done;
}

for (const [signal, said] of [
  ["SIGABRT", "by SIGABRT"],
  ["SIGTERM", "with 3"],
  ["SIGKILL", "by SIGKILL"],
] as const)
  test(`attached: the tree ended ${said}, and recriu ends as CRIU does`, async () => {
    await using stage = openStage();
    const { root, child, images } = await dumpTwo(stage);
    const done = await during(stage, images, [], root, () => {
      process.kill(root, signal);
      kill(child);
    });
    expect(done.exit).toBe(0);
    expect(done.stderr).toMatch(new RegExp(`the tree ended: task ${root} ${said}`));
  });

test("detached: what ends while --settle is waited for, and what runs on", async () => {
  await using stage = openStage();
  const { root, child, images } = await dumpTwo(stage);
  const words = ["-d", "--settle=2", "--json"];
  const done = await during(stage, images, words, root, () => process.kill(child, "SIGTERM"));
  expect(done.exit).toBe(0);
  const ended = {
    task: child,
    pid: child,
    code: 3,
    signal: null,
    core_dumped: false,
    kernel: null,
  };
  expect(JSON.parse(done.stdout).watched).toEqual({
    tasks: 2,
    unwatched: 0,
    seconds: 2,
    ended: [ended],
  });
  expect(alive(root)).toBe(true);
  await killTree(stage, root);
  // All of it: the rest of the time is not waited for.
  const before = performance.now();
  const both = await during(stage, images, ["-d", "--settle=60"], root, () => {
    process.kill(child, "SIGABRT");
    process.kill(root, "SIGTERM");
  });
  expect(performance.now() - before).toBeLessThan(30_000);
  expect(both.stderr).toContain(`task ${child} ended by SIGABRT`);
  expect(both.stderr).toContain(`the tree ended: task ${root} with 3`);
  const quiet = await recriu(stage, ["restore", "-d", "-D", images, "--settle=1"]);
  expect(quiet.stderr).toContain("2 tasks of 2 run on after 1 s");
});

test("what the kernel says of it: a fault, and out of memory", async () => {
  await using stage = openStage();
  const { root, child, images } = await dumpTwo(stage);
  const faulty = await during(stage, images, ["-d", "--settle=30"], root, () => {
    process.kill(child, "SIGUSR2");
    process.kill(root, "SIGKILL");
  });
  expect(faulty.stderr).toContain(`task ${child} ended by SIGSEGV`);
  // The kernel tells of so many faults in a time only.
  const told = /kernel {2}(ends.*)/.exec(faulty.stderr)?.[1] ?? `ends[${child}]: segfault at 8 `;
  expect(told).toStartWith(`ends[${child}]: segfault at 8 `);
  await waitFor("the numbers", () => processOf(root) === null && processOf(child) === null);

  const memory = hierarchies().find(
    ({ version, controllers }) => version === 1 && controllers.join() === "memory",
  )!;
  const cgroup = makeCgroup(stage, memory, "small");
  const short = await during(stage, images, ["-d", "--settle=30", "--json"], root, () => {
    writeFileSync(join(cgroup, "memory.limit_in_bytes"), String(16 << 20));
    writeFileSync(join(cgroup, "cgroup.procs"), String(child));
    process.kill(child, "SIGUSR1");
    void waitFor("the end", () => !alive(child)).then(() => kill(root));
  });
  const end = JSON.parse(short.stdout).watched.ended.find(({ task }: any) => task === child);
  expect(end).toMatchObject({ signal: constants.signals.SIGKILL });
  // In a pid namespace the kernel's numbers are not those that recriu knows.
  if (readlinkSync("/proc/self/ns/pid") !== INITIAL_PID_NAMESPACE) expect(end.kernel).toBeNull();
  else expect(end.kernel).toContain(`Killed process ${child} (ends)`);
});

test("a tree that is not watched is not told of", async () => {
  await using stage = openStage();
  const { images } = await dumpTwo(stage);
  const done = await recriu(stage, ["restore", "-d", "-D", images, "--json"]);
  expect(JSON.parse(done.stdout).watched).toBe(null);
});
