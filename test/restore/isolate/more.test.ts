/** Isolation beside the other things that a restore can be asked for. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { asCriu } from "../../dropin/as-criu.ts";
import { report } from "../report.ts";
import { criu, openStage, recriuBinary, running, waitFor } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";

const ended = (stage: Parameters<typeof running>[0]) =>
  waitFor("the init to end", () => running(stage, "recriu-init").length === 0);

test("a tree that has namespaces of its own is in them inside", async () => {
  await using stage = openStage();
  const { images, options = [] } = await dumpContainer(stage);
  const done = await report(stage, "restore", images, ["--isolate=pid", ...options]);
  expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
  const numbers = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${done.run!.pid}/status`, "utf8"))![1]!;
  const [, inside, own] = numbers.trim().split(/\s+/).map(Number);
  expect([inside, own]).toEqual([done.run!.pid_inside!, 1]);
  process.kill(done.run!.pid!, "SIGKILL");
  await ended(stage);
});

test("--verify=off and report, and a limit of time", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  for (const how of ["off", "report"]) {
    const done = await report(stage, "restore", images, ["--isolate=pid", `--verify=${how}`]);
    expect([done.exit, done.run?.pid_inside]).toEqual([0, pid]);
    process.kill(done.run!.pid!, "SIGKILL");
    await ended(stage);
  }
  const script = join(stage.dir, "script");
  await Bun.write(script, "#!/bin/sh\nexec sleep 60\n");
  Bun.spawnSync(["chmod", "755", script]);
  const late = await report(stage, "restore", images, [
    "--isolate=pid",
    "--timeout=1",
    "--action-script",
    script,
  ]);
  expect([late.exit, late.failure?.left]).toEqual([1, []]);
  await ended(stage);
  expect(running(stage, "sleep")).toEqual([]);
});

test("as criu it is not offered: the caller's namespaces are the caller's", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const env = { RECRIU_ISOLATE: "pid", RECRIU_FIX: "host" };
  const done = await asCriu(stage, ["restore", "-d", "-D", images, "-o", "r.log"], { env });
  expect(done.exit).toBe(0);
  expect(running(stage, "sched")).toEqual([pid]);
});

test("^C before the tree runs ends all of it", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const script = join(stage.dir, "script");
  await Bun.write(script, "#!/bin/sh\nexec sleep 60\n");
  Bun.spawnSync(["chmod", "755", script]);
  const words = ["restore", "-D", images, "--isolate=pid", "--action-script", script];
  const argv = ["env", `RECRIU_CRIU=${criu}`, recriuBinary, ...words];
  const child = await stage.supervisor.spawn(argv, { cwd: stage.dir });
  await waitFor("the script", () => running(stage, "sleep").length > 0);
  process.kill(child.pid, "SIGINT");
  expect(await child.exited).toBe(130);
  await waitFor(
    "all to be gone",
    () => running(stage, "sleep").length + running(stage, "criu").length === 0,
  );
  await ended(stage);
});
