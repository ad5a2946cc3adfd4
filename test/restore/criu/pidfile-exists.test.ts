import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("pidfile-exists: of a run before", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
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
  const { pid, images } = await startDumped(stage);
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
  const { images } = await startDumped(stage);
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
