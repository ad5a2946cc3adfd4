/** Files that a task shares or writes to, changed at the same size: bare CRIU restores over other content without a word. */
import { copyOf, startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { killTree, openStage, recriu, restoreBare, type Stage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import {
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const names = ["shared", "written", "private", "appended"] as const;

async function dumpShares(stage: Stage) {
  const files = names.map((name) => join(stage.dir, name));
  for (const file of files) writeFileSync(file, "old".padEnd(8192, "."));
  const { pid, images } = await startDumped(stage, "shares", files);
  await untilFilesAreYounger(stage, images);
  return { pid, files, images };
}

/** The kernel dates files by its ticks, of up to 10 ms: in the dump's own a change is no younger than the images. */
async function untilFilesAreYounger(stage: Stage, images: string): Promise<void> {
  const { mtime: dumped } = statSync(join(images, "inventory.img"));
  const file = join(stage.dir, "tick");
  do {
    await Bun.sleep(1);
    writeFileSync(file, "");
  } while (statSync(file).mtime <= dumped);
}

/** What recriu warns of, by the file's name, and nothing else is found. */
async function warned(stage: Stage, images: string): Promise<Record<string, string>> {
  const { exit, findings } = await report(stage, "preflight", images);
  expect(exit).toBe(0);
  expect(
    findings.filter(({ id, severity }) => id !== "file-replaced" || severity !== "warning"),
  ).toEqual([]);
  return Object.fromEntries(
    findings.map(({ subject, message }) => [subject.split("/").at(-1), message]),
  );
}

const other = "new".padEnd(8192, ".");

/** A time that is printed as it is in a message. */
const printed = (time: Date) => time.toISOString();

test("file-replaced: written to since, in place", async () => {
  await using stage = openStage();
  const { pid, files, images } = await dumpShares(stage);
  expect(await warned(stage, images)).toEqual({});
  for (const file of files) writeFileSync(file, other);
  const found = await warned(stage, images);
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "file-replaced")).exit).toBe(0);
  // What is only appended to is not read from.
  expect(Object.keys(found).sort()).toEqual(["private", "shared", "written"]);
  for (const [name, message] of Object.entries(found)) {
    expect(message).toContain(printed(statSync(join(stage.dir, name)).mtime));
    expect(message).toContain(printed(statSync(join(images, "inventory.img")).mtime));
  }
  const preflight = await report(stage, "preflight", images);
  const listed = await typed(stage, preflight, "file-replaced", { subject: files[0]! });
  expect(listed).toMatchObject({ exit: 0, stdout: expect.stringContaining(files[0]!) });
  // Bare CRIU takes the new content for the old.
  expect((await restoreBare(stage, images)).exit).toBe(0);
  const task = readFileSync(`/proc/${pid}/maps`, "latin1");
  const [, address] = new RegExp(`^([0-9a-f]+)-.* rw-s .*${files[0]}$`, "m").exec(task)!;
  const read = `dd if=/proc/${pid}/mem bs=1 count=3 skip=$((0x${address})) 2>/dev/null`;
  expect(Bun.spawnSync(["sh", "-c", read]).stdout.toString()).toBe("new");
  await killTree(stage, pid);
  // Put back with its time, it is the old one but for its inode.
  for (const file of files) {
    writeFileSync(file, "old".padEnd(8192, "."));
    utimesSync(file, 1, 1);
  }
  expect(Object.keys(await warned(stage, images)).sort()).toEqual(["shared", "written"]);
});

test("file-replaced: another file in its place, older than the dump", async () => {
  await using stage = openStage();
  const old = join(stage.dir, "old");
  writeFileSync(old, other);
  utimesSync(old, 1000, 1000);
  const { files, images } = await dumpShares(stage);
  for (const file of files.slice(0, 2)) {
    copyFileSync(old, `${file}.new`);
    utimesSync(`${file}.new`, 1000, 1000);
    renameSync(`${file}.new`, file);
  }
  const found = await warned(stage, images);
  expect(Object.keys(found).sort()).toEqual(["shared", "written"]);
  expect(found.shared).toContain("1970-01-01T00:16:40.000Z");
  expect(found.shared).toContain(printed(statSync(files[0]!).ctime));
});

test("file-replaced: a seal knows the time, whatever became of the images'", async () => {
  await using stage = openStage();
  const { files, images } = await dumpShares(stage);
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  writeFileSync(files[1]!, other);
  const copy = copyOf(stage, images, "copy");
  const found = await warned(stage, copy);
  expect(Object.keys(found)).toEqual(["written"]);
  expect(found.written).toContain("when the checkpoint was sealed");
  // Out of an archive without times, only what the seal knows.
  utimesSync(join(copy, "inventory.img"), 0, 0);
  expect(await warned(stage, copy)).toEqual(found);
  expect((await recriu(stage, ["show", copy])).stdout).toContain("\nwritten ? UTC, ");
});
