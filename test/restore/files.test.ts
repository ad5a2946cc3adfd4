/** Files and directories that are not what they were. */
import { expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { HOSTILE, path, startThings } from "./hostile.ts";
import { finding, report } from "./report.ts";
import { dump, killTree, openStage, recriu, run, type Stage, start } from "./stage.ts";
import { stageCheck } from "./stage-check.ts";

async function dumpTree(stage: Stage) {
  const cwd = join(stage.dir, "work");
  const file = join(stage.dir, "data");
  const log = join(stage.dir, "log");
  mkdirSync(cwd);
  writeFileSync(file, "what it was");
  const { pid } = await start(stage, "tree", [cwd, file, log, "2"]);
  return { pid, cwd, file, log, images: await dump(stage, pid) };
}

test("a tree with threads, groups, a zombie and files restores and is verified", async () => {
  await using stage = openStage();
  const { images } = await dumpTree(stage);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    findings: [],
    verdict: { result: "match", differences: [] },
  });
});

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
  const { pid } = await start(stage, "many", ["21", "0", "0", "0"], { cwd });
  const images = await dump(stage, pid);
  rmdirSync(cwd);
  const { findings } = await report(stage, "preflight", images);
  expect(findings.map(({ id, subject }) => [id, subject])).toEqual([["cwd-missing", cwd]]);
  expect(findings[0]!.task).toBe(pid);
  expect(findings[0]!.tasks.length).toBe(21);
  const { stderr } = await recriu(stage, ["preflight", "-D", images]);
  expect(stderr).toContain("task " + pid + " and 20 more");
  expect(stderr.split("\n").length).toBeLessThan(12);
});

test("file-missing", async () => {
  await using stage = openStage();
  const { images, file } = await dumpTree(stage);
  renameSync(file, `${file}.aside`);
  const mend = () => renameSync(`${file}.aside`, file);
  await stageCheck({ id: "file-missing", stage, images, subject: file, mend });
});

test("file-changed: another size", async () => {
  await using stage = openStage();
  const { images, file } = await dumpTree(stage);
  appendFileSync(file, ", and more");
  const mend = () => writeFileSync(file, "what it was");
  await stageCheck({ id: "file-changed", stage, images, subject: file, mend });
});

test("file-changed: another mode", async () => {
  await using stage = openStage();
  const { images, cwd } = await dumpTree(stage);
  // Of an empty directory it is not known whether something should be mounted there.
  writeFileSync(join(cwd, "something"), "");
  chmodSync(cwd, 0o700);
  await stageCheck({ id: "file-changed", stage, images, subject: cwd, mend: "typed" });
});

test("--skip-file-rwx-check makes another mode no obstacle, as in CRIU", async () => {
  await using stage = openStage();
  const { images, cwd } = await dumpTree(stage);
  chmodSync(cwd, 0o700);
  expect((await report(stage, "restore", images, ["--skip-file-rwx-check"])).exit).toBe(0);
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
