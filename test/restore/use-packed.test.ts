/** A file that the tree writes to is replaced only by a person's word, and the other is kept beside it. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blockers, finding, report } from "./report.ts";
import { killTree, openStage, recriu, restoreBare, type Stage } from "./stage.ts";
import { typed } from "./typed.ts";

/** A tree that writes to a file, which is longer by now. */
async function written(stage: Stage, now = "newer") {
  const file = join(stage.dir, "file");
  writeFileSync(file, "what it was", { mode: 0o640 });
  const { images, pid } = await startDumped(stage, "objects", ["write", file]);
  expect((await recriu(stage, ["seal", images, "--with-files"])).exit).toBe(0);
  writeFileSync(file, now);
  const kept = `${file}.before-restore`;
  const option = `--use-packed=${file}`;
  const texts = () => [file, kept].map((at) => (existsSync(at) ? readFileSync(at, "utf8") : null));
  return { file, kept, images, pid, option, texts };
}
const untouched = ["newer", null];
const replaced = ["what it was", "newer"];

test("named, typed, and so restored", async () => {
  await using stage = openStage();
  const { file, kept, images, pid, option, texts } = await written(stage);
  const { ino } = statSync(file);
  const bare = await restoreBare(stage, images);
  const blocked = await report(stage, "restore", images, ["--isolate"]);
  expect([bare.exit, blocked.exit, blockers(blocked)]).toEqual([1, 3, ["file-changed"]]);
  const named = finding(blocked, "file-changed");
  expect(bare.log).toContain(named.criu_message!);
  expect([named.isolate, named.remedy.command]).toEqual([null, option]);
  expect(texts()).toEqual(untouched);
  const planned = await report(stage, "preflight", images, [option]);
  expect(finding(planned, "file-changed").remedy.kind).toBe("repair");
  expect([planned.exit, planned.plan.repairs.length, texts()]).toEqual([4, 1, untouched]);
  expect((await typed(stage, planned, "file-changed")).exit).toBe(0);
  expect(texts()).toEqual(replaced);
  rmSync(file);
  Bun.spawnSync(["mv", kept, file]);
  expect((await typed(stage, blocked, "file-changed")).exit).toBe(0);
  expect([texts(), statSync(kept).ino, statSync(file).mode & 0o777]).toEqual([
    replaced,
    ino,
    0o640,
  ]);
  expect(readFileSync(`/proc/${pid}/fd/3`, "utf8")).toBe("what it was");
  await killTree(stage, pid);
});

test("file-differs: of the same size CRIU lets it pass, and so does a person who says nothing", async () => {
  await using stage = openStage();
  const { file, images, pid, option, texts } = await written(stage, "WHAT IT WAS");
  const told = await report(stage, "preflight", images);
  expect([told.exit, finding(told, "file-differs")]).toEqual([
    0,
    expect.objectContaining({ severity: "warning", subject: file }),
  ]);
  expect(finding(told, "file-differs").remedy.command).toBe(option);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  expect((await typed(stage, told, "file-differs")).exit).toBe(0);
  expect(texts()).toEqual(["what it was", "WHAT IT WAS"]);
  await killTree(stage, pid);
});

test("given back: when CRIU fails, and by recriu undo", async () => {
  await using stage = openStage({ ownState: true });
  const { images, pid, option, texts, file } = await written(stage);
  const { ino } = statSync(file);
  const script = join(stage.dir, "script");
  const at = (point: string, what: string) =>
    writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != ${point} ] || ${what}\n`, {
      mode: 0o755,
    });
  const words = [option, "--action-script", script];
  at("post-restore", "exit 1");
  expect(await report(stage, "restore", images, words)).toMatchObject({
    exit: 1,
    failure: { left: [] },
  });
  expect([texts(), statSync(file).ino]).toEqual([untouched, ino]);
  at("pre-restore", "kill -KILL $(ps -o ppid= $PPID)");
  await recriu(stage, ["restore", "-d", "-D", images, ...words]);
  await killTree(stage, pid).catch(() => {});
  expect(texts()).toEqual(replaced);
  expect((await recriu(stage, ["undo"])).exit).toBe(0);
  expect([texts(), statSync(file).ino]).toEqual([untouched, ino]);
});

test("nothing is lost that has the other's name already, and a path that was not taken is told", async () => {
  await using stage = openStage();
  const { images, option, texts, kept } = await written(stage);
  writeFileSync(kept, "somebody's");
  const done = await report(stage, "restore", images, [option]);
  expect([done.exit, done.failure?.line]).toEqual([3, expect.stringContaining(`${kept}: `)]);
  expect(texts()).toEqual(["newer", "somebody's"]);
  const other = await report(stage, "preflight", images, ["--use-packed=/nowhere"]);
  expect(other.findings).toContainEqual(
    expect.objectContaining({ id: "file-differs", subject: "/nowhere", severity: "warning" }),
  );
});
