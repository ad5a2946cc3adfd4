/** A file that a sealed tree used under two names is one file again, wherever that is safe; and what is not, is said. */
import { startDumped } from "./stage/dumped.ts";
import { report } from "./report.ts";
import { manifestOf } from "./seal.ts";
import { killTree, openStage, recriu, type Stage } from "./stage.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** A tree that reads one file by two names, in directories of their own, sealed with it. */
async function twoNames(stage: Stage) {
  const [one, other] = [join(stage.dir, "one/name"), join(stage.dir, "other/name")];
  for (const dir of ["one", "other"]) mkdirSync(join(stage.dir, dir));
  writeFileSync(one, "content", { mode: 0o640 });
  linkSync(one, other);
  const { pid, images } = await startDumped(stage, "objects", ["read", one, "read", other]);
  expect((await recriu(stage, ["seal", images, "--with-files"])).exit).toBe(0);
  const text = async () => {
    const { findings } = await report(stage, "preflight", images);
    return findings.map(({ remedy }) => remedy.text).join("\n");
  };
  return { one, other, pid, images, text };
}

/** The inode and how many names it has. */
function inodeOf(path: string): [inode: number, names: number] {
  const { ino, nlink } = statSync(path);
  return [ino, nlink];
}

test("both gone: they come back as one; one gone: it is a name more of the other; taken back when CRIU fails", async () => {
  await using stage = openStage({ ownState: true });
  const { one, other, pid, images, text } = await twoNames(stage);
  const restored = async () => {
    expect(await report(stage, "restore", images)).toMatchObject({
      exit: 0,
      verdict: { result: "match" },
    });
    await killTree(stage, pid);
  };
  for (const file of [one, other]) rmSync(file);
  expect(await text()).toContain(`; as one file with ${other} (hard links)`);
  await restored();
  expect(inodeOf(one)).toEqual(inodeOf(other));
  expect(inodeOf(one)[1]).toBe(2);
  expect([readFileSync(other, "utf8"), statSync(other).mode & 0o777]).toEqual(["content", 0o640]);

  const kept = inodeOf(one)[0];
  for (const [gone, there] of [
    [other, one],
    [one, other],
  ] as const) {
    rmSync(gone);
    const { plan } = await report(stage, "preflight", images);
    expect(plan.repairs).toEqual([expect.objectContaining({ path: gone, link: there })]);
    await restored();
    expect([inodeOf(gone), inodeOf(there)]).toEqual([
      [kept, 2],
      [kept, 2],
    ]);
  }

  rmSync(other);
  const script = join(stage.dir, "script");
  const at = (point: string, what: string) =>
    writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != ${point} ] || ${what}\n`, {
      mode: 0o755,
    });
  const words = ["--action-script", script];
  at("post-restore", "exit 1");
  const failed = await report(stage, "restore", images, words);
  expect(failed).toMatchObject({ exit: 1, failure: { left: [] } });
  expect([existsSync(other), inodeOf(one)]).toEqual([false, [kept, 1]]);
  at("pre-restore", "kill -KILL $(ps -o ppid= $PPID)");
  await recriu(stage, ["restore", "-d", "-D", images, ...words]);
  await killTree(stage, pid).catch(() => {});
  expect(inodeOf(other)).toEqual([kept, 2]);
  expect((await recriu(stage, ["undo"])).exit).toBe(0);
  expect([existsSync(other), inodeOf(one)]).toEqual([false, [kept, 1]]);
});

test("where another file is at the other name, and through somebody else's directory, no link is made, and that is said", async () => {
  await using stage = openStage();
  const { one, other, pid, images, text } = await twoNames(stage);
  const alone = async (said: string) => {
    rmSync(one);
    expect(await text()).toContain(said);
    expect(await report(stage, "restore", images)).toMatchObject({ exit: 0 });
    expect([inodeOf(one)[1], readFileSync(one, "utf8")]).toEqual([1, "content"]);
    await killTree(stage, pid);
  };
  // Of the same size and date, and not the same: CRIU lets it pass.
  rmSync(other);
  writeFileSync(other, "CONTENT", { mode: 0o640 });
  await alone(`; no more as one file with ${other}, where another is now`);
  expect(readFileSync(other, "utf8")).toBe("CONTENT");
  writeFileSync(other, "content");
  chmodSync(other, 0o640);
  chownSync(join(stage.dir, "other"), 1000, 1000);
  await alone("; recriu makes it a file of its own, too: ");
  chownSync(join(stage.dir, "other"), 0, 0);
  // Of another owner it is not the sealed one.
  chownSync(other, 1000, 0);
  await alone(`; no more as one file with ${other}, where another is now`);
});

test("replaced for the tree alone, its names are names of one copy; what a manifest calls one file and is not, is none", async () => {
  await using stage = openStage();
  const { one, other, images } = await twoNames(stage);
  for (const file of [one, other]) {
    rmSync(file);
    writeFileSync(file, "another content");
  }
  const done = await report(stage, "restore", images, ["--isolate=auto"]);
  expect([done.exit, done.plan.over.length]).toEqual([0, 2]);
  const inside = (path: string) => statSync(`/proc/${done.run?.pid}/root${path}`);
  expect([inside(one).ino, inside(one).nlink]).toEqual([inside(other).ino, 2]);
  expect(readFileSync(`/proc/${done.run?.pid}/root${other}`, "utf8")).toBe("content");
  await killTree(stage, done.run!.pid!);

  // Two files with other modes under one number.
  const manifest = JSON.parse(readFileSync(manifestOf(images), "utf8"));
  manifest.files.find(({ path }: { path: string }) => path === one).mode = 0o600;
  writeFileSync(manifestOf(images), JSON.stringify(manifest));
  for (const file of [one, other]) rmSync(file);
  const forged = await report(stage, "preflight", images);
  expect(forged.plan.repairs.map(({ link }) => link)).toEqual([undefined]);
});
