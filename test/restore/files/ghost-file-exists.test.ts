import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("ghost-file-exists: a killed CRIU left it", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "deleted");
  const { pid, images } = await startDumped(stage, "objects", ["write", file, "unlink", file]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  // Its name ends in an id that is in the images.
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  const left = `${file}.cr.${/ghost-file-([0-9a-f]+)/.exec(ghost!)![1]}.ghost`;
  writeFileSync(left, "");
  await stageCheck({
    id: "ghost-file-exists",
    stage,
    images,
    pid,
    subject: left,
    // The CRIU that failed has removed it.
    mend: () => {},
  });
  await killTree(stage, pid);
  writeFileSync(left, "");
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "ghost-file-exists")).exit).toBe(0);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
});

test("ghost-file-exists: a directory of a deleted one's name", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "deleted");
  mkdirSync(dir);
  const { pid, images } = await startDumped(stage, "objects", ["chdir", dir, "rmdir", dir]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);

  mkdirSync(dir, { mode: 0o700 });
  const empty = await report(stage, "preflight", images);
  expect(finding(empty, "ghost-file-exists")).toMatchObject({ severity: "blocker", subject: dir });
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(existsSync(dir)).toBe(false);
  await killTree(stage, pid);
  // The remedy as it is typed: the directory is still there afterwards.
  mkdirSync(dir, { mode: 0o700 });
  await run(stage, ["sh", "-c", finding(empty, "ghost-file-exists").remedy.command!]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  expect(existsSync(`${dir}.aside`)).toBe(true);
  await killTree(stage, pid);

  mkdirSync(dir);
  writeFileSync(join(dir, "mine"), "");
  await stageCheck({ id: "ghost-file-exists", stage, images, pid, subject: dir, mend: "typed" });
});
