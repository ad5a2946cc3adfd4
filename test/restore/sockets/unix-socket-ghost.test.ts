import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("unix-socket-ghost: a file stands where the directory was", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const name = join(dir, "a");
  const { pid, images } = await startDumped(stage, "objects", ["dgram", name, "unlink", name]);
  rmdirSync(dir);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  writeFileSync(dir, "");
  await stageCheck({ id: "unix-socket-ghost", stage, images, pid, subject: name, mend: "typed" });
});

test("unix-socket-ghost: the directory of a relative name is gone", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const objects = ["chdir", dir, "dgram", "a", "unlink", "a", "chdir", "/"];
  const { pid, images } = await startDumped(stage, "objects", objects);
  rmdirSync(dir);
  await stageCheck({
    id: "unix-socket-ghost",
    stage,
    images,
    pid,
    subject: join(dir, "a"),
    mend: "typed",
  });
  rmdirSync(dir);
  const done = await report(stage, "restore", images);
  expect([done.exit, done.verdict?.result, done.plan.repairs.length]).toEqual([0, "match", 1]);
  await killTree(stage, pid);
});

test("unix-socket-ghost: a name of the greatest length", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a".repeat(106 - stage.dir.length));
  expect(name.length).toBe(107);
  const { images } = await startDumped(stage, "objects", ["dgram", name, "unlink", name]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-socket-ghost"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-socket-ghost").criu_message!);
});
