import { startDumped } from "../stage/dumped.ts";
import { dumpTree } from "../files.ts";
import { HOSTILE, path, startThings } from "../hostile.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { dump, killTree, openStage, recriu, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("cwd-missing", async () => {
  await using stage = openStage();
  const { images, cwd } = await dumpTree(stage);
  rmdirSync(cwd);
  await stageCheck({ id: "cwd-missing", stage, images, subject: cwd, mend: () => mkdirSync(cwd) });
});

test("one cause is one finding: the working directory of many tasks", async () => {
  await using stage = openStage();
  const cwd = join(stage.dir, "work");
  mkdirSync(cwd);
  const { pid, images } = await startDumped(stage, "many", ["21", "0", "0", "0"], { cwd });
  rmdirSync(cwd);
  const { findings } = await report(stage, "preflight", images);
  expect(findings.map(({ id, subject }) => [id, subject])).toEqual([["cwd-missing", cwd]]);
  expect(findings[0]!.task).toBe(pid);
  expect(findings[0]!.tasks.length).toBe(21);
  const { stderr } = await recriu(stage, ["preflight", "-D", images]);
  expect(stderr).toContain("task " + pid + " and 20 more");
  expect(stderr.split("\n").length).toBeLessThan(12);
});

test("names that are no text: what is open, mapped and worked in is found, made again and verified", async () => {
  await using stage = openStage();
  const [dir, file] = [path(stage.dir, "/", HOSTILE), path(stage.dir, "/f", HOSTILE)];
  mkdirSync(dir);
  writeFileSync(file, "what it was");
  const { pid } = await startThings(stage, ["read", file, "map", file, "chdir", dir]);
  const images = await dump(stage, pid);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  await killTree(stage, pid);

  rmdirSync(dir);
  const { command } = finding(await report(stage, "preflight", images), "cwd-missing").remedy;
  expect(await run(stage, ["sh", "-c", command!])).toMatchObject({ exit: 0, stderr: "" });
  expect(existsSync(dir)).toBe(true);
  expect(readdirSync(stage.dir)).not.toContain("PWNED");
  const again = await report(stage, "restore", images);
  expect(again).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
});

test("cwd-missing: the directory has the owner of what it stands in", async () => {
  await using stage = openStage();
  const cwd = join(stage.dir, "work");
  mkdirSync(cwd, { mode: 0o700 });
  const { images } = await startDumped(stage, "sched", ["other", "0", "0"], { cwd });
  rmdirSync(cwd);
  const preflight = await report(stage, "preflight", images);
  expect((await typed(stage, preflight, "cwd-missing")).exit).toBe(0);
  expect(statSync(cwd).mode & 0o7777).toBe(0o700);
  expect((await recriu(stage, ["restore", "-d", "-D", images])).exit).toBe(0);
});
