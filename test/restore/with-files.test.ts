/** A sealed checkpoint that has the tree's files beside it: what is gone is put back, and taken back when the restore fails. */
import { startDumped } from "./stage/dumped.ts";
import { type Report, report } from "./report.ts";
import { manifestOf, spoil } from "./seal.ts";
import { stageCheck } from "./stage-check.ts";
import { dump, killTree, openStage, recriu, run, type Stage, start } from "./stage.ts";
import { compile } from "./stage/compile.ts";
import { packedPiece, PIECE } from "../../src/image/index.ts";
import { setXattr, xattrsOf } from "../../src/sys/xattrs.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A task that runs a program of its own, with a file open that it has written to, both below `app`. */
async function startApp(stage: Stage) {
  const app = join(stage.dir, "app");
  const [program, log] = [join(app, "bin/program"), join(app, "var/log")];
  for (const dir of ["bin", "var"]) mkdirSync(join(app, dir), { recursive: true });
  chmodSync(join(app, "var"), 0o750);
  copyFileSync(compile("memory"), program);
  writeFileSync(log, "said before\n");
  chmodSync(log, 0o640);
  chownSync(log, 0, 12);
  utimesSync(log, 1_000_000, 1_000_000);
  const holds = join(stage.dir, "holds");
  writeFileSync(holds, `#!/bin/sh\nexec 7>>${log}\nexec ${program} "$@"\n`, { mode: 0o755 });
  const { pid } = await start(stage, "memory", ["plain"], { program: holds });
  return { pid, app, program, log };
}

const sealWith = (stage: Stage, images: string, ...words: string[]) =>
  recriu(stage, ["seal", images, "--with-files", ...words]);

test("file-missing: all that the tree uses is gone, and comes back as it was", async () => {
  await using stage = openStage();
  const { pid, app, program, log } = await startApp(stage);
  const opened = openSync(log, "r+");
  expect(setXattr(opened, "user.kind", Buffer.from("log"))).toBe(0);
  closeSync(opened);
  const images = await dump(stage, pid);
  const before = [program, log].map((path) => statSync(path));
  const sealed = await sealWith(stage, images);
  expect([sealed.exit, sealed.stderr]).toEqual([
    0,
    expect.stringMatching(/\ntaken along: \d+ files, /),
  ]);
  // By hand: the command that is shown.
  rmSync(log);
  const named = await stageCheck({ id: "file-missing", stage, images, mend: "typed" });
  expect(named.remedy.kind).toBe("repair");

  rmSync(app, { recursive: true });
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const after = [program, log].map((path) => statSync(path));
  for (const [index, { mode, uid, gid, size, mtimeMs }] of before.entries())
    expect(after[index]).toMatchObject({ mode, uid, gid, size, mtimeMs: Math.floor(mtimeMs) });
  expect(statSync(join(app, "var")).mode & 0o7777).toBe(0o750);
  expect(readFileSync(log, "utf8")).toBe("said before\n");
  const put = openSync(log, "r");
  expect(xattrsOf(put)).toEqual(new Map([["user.kind", Buffer.from("log")]]));
  closeSync(put);
  await killTree(stage, pid);
});

test("file-missing: what is open twice is put back once", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "content");
  const { pid, images } = await startDumped(stage, "objects", [
    "read",
    file,
    "read",
    file,
    "map",
    file,
  ]);
  expect((await sealWith(stage, images)).exit).toBe(0);
  rmSync(file);
  const done = await report(stage, "restore", images);
  expect([done.exit, done.failure, done.plan.repairs.length]).toEqual([0, null, 1]);
  await killTree(stage, pid);
});

test("file-missing: a file with holes comes back with them", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "holes");
  const written = openSync(file, "w");
  const bytes = Buffer.from("data");
  for (const at of [0, 3 << 20, (5 << 20) - 7]) writeSync(written, bytes, 0, bytes.length, at);
  ftruncateSync(written, 8 << 20);
  closeSync(written);
  const before = [statSync(file), readFileSync(file)] as const;
  expect(before[0].blocks * 512).toBeLessThan(1 << 20);
  const { images } = await startDumped(stage, "objects", ["read", file]);
  expect((await sealWith(stage, images)).exit).toBe(0);
  rmSync(file);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
  expect(readFileSync(file).equals(before[1])).toBe(true);
  expect(statSync(file).blocks * 512).toBeLessThan(1 << 20);
});

test("taken back: when CRIU fails, and by recriu undo", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, app } = await startApp(stage);
  const images = await dump(stage, pid);
  expect((await sealWith(stage, images)).exit).toBe(0);
  rmSync(app, { recursive: true });
  const script = join(stage.dir, "script");
  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || exit 1\n", {
    mode: 0o755,
  });
  const failed = await report(stage, "restore", images, ["--action-script", script]);
  expect(failed).toMatchObject({ exit: 1, failure: { left: [] } });
  expect(existsSync(app)).toBe(false);
  // Killed while it holds all (CRIU's parent is recriu): what it made is still there, and known.
  writeFileSync(
    script,
    `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-restore ] || kill -KILL $(ps -o ppid= $PPID)\n`,
    { mode: 0o755 },
  );
  await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
  await killTree(stage, pid).catch(() => {});
  expect(existsSync(app)).toBe(true);
  const undone = await recriu(stage, ["undo"]);
  expect([undone.exit, existsSync(app)]).toEqual([0, false]);
});

test("what is not the saved file is not put there: other bytes, another size, a link, somebody else's directory", async () => {
  await using stage = openStage();
  const { pid, app, log } = await startApp(stage);
  const images = await dump(stage, pid);
  const limited = await sealWith(stage, images, "--file-limit=1");
  expect(limited.stderr).toMatch(
    /\nleft out: \S*libc\S*: it has \d+ bytes, more than --file-limit\n/,
  );
  expect((await sealWith(stage, images)).exit).toBe(0);
  const manifest = JSON.parse(readFileSync(manifestOf(images), "utf8"));
  const { sha256 } = manifest.files.find(({ path }: { path: string }) => path === log).taken;
  const beside = join(images, "recriu.files", `${sha256}.zst`);
  expect([
    statSync(beside).mode & 0o777,
    statSync(join(images, "recriu.files")).mode & 0o777,
  ]).toEqual([0o600, 0o700]);
  rmSync(log);
  const kept = readFileSync(beside);
  spoil(beside);
  const spoilt = await report(stage, "restore", images);
  expect([spoilt.exit, spoilt.failure?.line]).toEqual([
    3,
    expect.stringContaining("its bytes are not those that were sealed"),
  ]);
  expect(existsSync(log)).toBe(false);
  rmSync(beside);
  const remedyNow = async () =>
    (await report(stage, "preflight", images)).findings.find(({ id }) => id === "file-missing")
      ?.remedy;
  const isPutBack = async () => (await remedyNow())?.command?.includes(sha256);
  writeFileSync(beside, kept);
  expect(await isPutBack()).toBe(true);
  rmSync(beside);
  const elsewhere = join(stage.dir, "elsewhere");
  writeFileSync(elsewhere, kept);
  symlinkSync(elsewhere, beside);
  expect((await report(stage, "restore", images)).exit).not.toBe(0);
  expect(existsSync(log)).toBe(false);
  expect(await isPutBack()).toBe(false);
  rmSync(beside);
  writeFileSync(beside, "");
  expect(await isPutBack()).toBe(false);
  writeFileSync(beside, kept);
  const files = join(images, "recriu.files");
  renameSync(files, `${files}.moved`);
  symlinkSync(`${files}.moved`, files);
  expect(await isPutBack()).toBe(false);
  rmSync(files);
  renameSync(`${files}.moved`, files);
  // What gives rights is a person's, with a command that gives none.
  const kindOf = async () => (await remedyNow())?.kind;
  expect(await kindOf()).toBe("repair");
  const sealedAs = (change: (file: { mode: number; taken: { xattrs: object } }) => void) => {
    const changed = structuredClone(manifest);
    change(changed.files.find(({ path }: { path: string }) => path === log));
    writeFileSync(manifestOf(images), JSON.stringify(changed));
  };
  sealedAs((file) => (file.mode |= 0o4000));
  expect(await kindOf()).toBe("human");
  sealedAs((file) => (file.taken.xattrs = { "security.capability": "AA==" }));
  expect(await kindOf()).toBe("human");
  sealedAs(() => {});
  // In another user's directory nothing of root's is made; what would be typed would be, too.
  chownSync(join(app, "var"), 1000, 1000);
  expect(await remedyNow()).toMatchObject({ kind: "human", command: null });
  chownSync(join(app, "var"), 0, 0);
  const untrusted = await report(stage, "preflight", images, ["--untrusted"]);
  expect(untrusted.findings.find(({ id }) => id === "file-missing")?.remedy.kind).toBe("human");
});

test("sealed anew: nothing earlier is removed before the new manifest stands, and what stays is said", async () => {
  await using stage = openStage();
  const { pid, log } = await startApp(stage);
  const images = await dump(stage, pid);
  const beside = join(images, "recriu.files");
  expect((await sealWith(stage, images)).exit).toBe(0);
  const first = readdirSync(beside).sort();
  expect(first.every((name) => /^[0-9a-f]{64}\.zst$/.test(name))).toBe(true);
  // zstd(1) reads them, and their names are the sums of what they hold.
  for (const name of first) {
    const sum = await run(stage, ["sh", "-c", `zstd -dqc ${join(beside, name)} | sha256sum`]);
    expect(sum.stdout.slice(0, 64)).toBe(name.slice(0, 64));
  }
  writeFileSync(log, "said before, and now\n");
  // Where no manifest can stand, none of what the earlier one named is gone.
  renameSync(manifestOf(images), `${manifestOf(images)}.was`);
  mkdirSync(manifestOf(images));
  expect((await sealWith(stage, images)).exit).toBe(1);
  expect(readdirSync(beside)).toEqual(expect.arrayContaining(first));
  rmdirSync(manifestOf(images));
  renameSync(`${manifestOf(images)}.was`, manifestOf(images));

  const plain = await recriu(stage, ["seal", images]);
  expect([plain.exit, plain.stderr]).toEqual([
    0,
    expect.stringContaining(`${beside} is an earlier seal's, and no part of this one`),
  ]);
  expect(readdirSync(beside)).toEqual(expect.arrayContaining(first));
  const anew = await sealWith(stage, images);
  expect([anew.exit, anew.stderr]).toEqual([0, expect.not.stringContaining("earlier seal's")]);
  const now = readdirSync(beside);
  expect([now.length, first.filter((name) => !now.includes(name)).length]).toEqual([
    first.length,
    1,
  ]);
});

test("a seal of recriu 0.1, whose files are not packed, is read on; one that unpacks to more is not", async () => {
  await using stage = openStage();
  const { pid, log } = await startApp(stage);
  const images = await dump(stage, pid);
  expect((await sealWith(stage, images)).exit).toBe(0);
  const manifest = JSON.parse(readFileSync(manifestOf(images), "utf8"));
  const { taken } = manifest.files.find(({ path }: { path: string }) => path === log);
  const packed = join(images, "recriu.files", `${taken.sha256}.zst`);
  const content = readFileSync(log);
  rmSync(log);
  // A bomb of one piece, and of many, of which the manifest says how long they are: of another length they are not looked at.
  for (const bomb of [Buffer.concat(packedPiece(Buffer.alloc(PIECE))), bombOf(1 << 27)]) {
    writeFileSync(packed, bomb);
    taken.packed.size = bomb.length;
    writeFileSync(manifestOf(images), JSON.stringify(manifest));
    const refused = await report(stage, "restore", images);
    expect([refused.exit, refused.failure?.line]).toEqual([
      3,
      expect.stringContaining("its bytes are not those that were sealed"),
    ]);
    expect(existsSync(log)).toBe(false);
  }
  rmSync(packed);
  delete taken.packed;
  writeFileSync(packed.slice(0, -".zst".length), content);
  writeFileSync(manifestOf(images), JSON.stringify(manifest));
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(readFileSync(log)).toEqual(content);
  await killTree(stage, pid);
});

/** A frame of a few KiB, with its length before it, that would unpack to so many bytes. */
function bombOf(size: number): Buffer {
  const frame = Buffer.from(Bun.zstdCompressSync(Buffer.alloc(size)));
  const [head] = packedPiece(Buffer.alloc(1));
  head.writeUInt32LE(frame.length, 8);
  return Buffer.concat([head, frame]);
}

test("cwd-missing: a working directory of another's is made again as it was", async () => {
  await using stage = openStage();
  const [above, cwd] = [join(stage.dir, "above"), join(stage.dir, "above/cwd")];
  mkdirSync(cwd, { recursive: true });
  chmodSync(cwd, 0o1777);
  const { pid, images } = await startDumped(stage, "memory", ["plain"], { cwd });
  expect((await sealWith(stage, images)).exit).toBe(0);
  rmSync(cwd, { recursive: true });
  await stageCheck({ id: "cwd-missing", stage, images, mend: "typed" });
  rmSync(above, { recursive: true });
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(statSync(cwd).mode & 0o7777).toBe(0o1777);
  await killTree(stage, pid);
});

test("a pack takes them along", async () => {
  await using stage = openStage();
  const { pid, app } = await startApp(stage);
  const images = await dump(stage, pid);
  expect((await sealWith(stage, images)).exit).toBe(0);
  const archive = join(stage.dir, "a.tar");
  expect((await recriu(stage, ["pack", images, "-o", archive])).exit).toBe(0);
  for (const dir of [app, images]) rmSync(dir, { recursive: true });
  // The pack itself says what its restore will do, and what to type once it is unpacked.
  const ahead = await recriu(stage, ["preflight", archive, "--json"]);
  expect(ahead.exit).toBe(4);
  const { plan, findings } = JSON.parse(ahead.stdout) as Report;
  expect(plan.repairs.map(({ action }) => action)).toEqual(["file", "file"]);
  expect(findings[0]!.remedy.command).toContain(" checkpoint/images/recriu.files/");
  const asked = await recriu(stage, ["preflight", archive, "--fix"]);
  expect([asked.exit, asked.stderr]).toEqual([2, expect.stringContaining("unpack it (tar -xf)")]);
  expect(existsSync(app)).toBe(false);
  expect((await run(stage, ["tar", "-xf", archive])).exit).toBe(0);
  const there = join(stage.dir, "checkpoint/images");
  expect(readdirSync(join(there, "recriu.files")).length).toBeGreaterThan(2);
  expect(await report(stage, "restore", there)).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
  await killTree(stage, pid);
});

test("a seal removes nothing that no seal has made: who owns the images may have put somebody else's directory there", async () => {
  await using stage = openStage();
  const { pid } = await startApp(stage);
  const images = await dump(stage, pid);
  const [files, theirs, old] = ["", "theirs", "0".repeat(64)].map((name) =>
    join(images, "recriu.files", name),
  ) as [string, string, string];
  mkdirSync(files);
  for (const file of [theirs, old]) writeFileSync(file, "");
  expect((await sealWith(stage, images)).exit).toBe(0);
  expect([theirs, old].map((file) => existsSync(file))).toEqual([true, false]);
});
