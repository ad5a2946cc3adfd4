import { startDumped } from "../stage/dumped.ts";
import { dumpTree } from "../files.ts";
import { report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { dump, openStage, run, start, waitFor } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

test("file-missing", async () => {
  await using stage = openStage();
  const { images, file } = await dumpTree(stage);
  renameSync(file, `${file}.aside`);
  const mend = () => renameSync(`${file}.aside`, file);
  await stageCheck({ id: "file-missing", stage, images, subject: file, mend });
});

test("what a command can put back it does: an empty file, shared memory, a device, a directory", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, "below", name);
  mkdirSync(at(""));
  const [empty, zero, dir] = [at("empty"), at("zero"), at("dir")];
  const shm = `/dev/shm/${basename(stage.dir)}`;
  try {
    writeFileSync(empty, "", { mode: 0o600 });
    writeFileSync(shm, "what it was", { mode: 0o640 });
    mkdirSync(dir, { mode: 0o750 });
    expect((await run(stage, ["mknod", "-m", "666", zero, "c", "1", "5"])).exit).toBe(0);
    const held = [empty, shm, zero, dir].flatMap((path) => ["read", path]);
    const { images } = await startDumped(stage, "objects", held);
    rmSync(shm);
    rmSync(at(""), { recursive: true });
    const told = await stageCheck({ id: "file-missing", stage, images, among: true });
    expect(told.remedy.text).toContain("mode 0");
    const preflight = await report(stage, "preflight", images);
    expect(preflight.findings.map(({ id }) => id)).toEqual(Array(4).fill("file-missing"));
    expect(preflight.findings.find(({ subject }) => subject === shm)?.remedy.text).toContain(
      "a file of 11 bytes, mode 0640",
    );
    for (const subject of [empty, dir, zero, shm])
      expect(await typed(stage, preflight, "file-missing", { subject })).toMatchObject({
        exit: 0,
        stderr: "",
      });
    expect([statSync(empty).mode, statSync(zero).rdev, statSync(shm).size]).toEqual([
      0o100600, 0x105, 11,
    ]);
    await restored(stage, images);
  } finally {
    rmSync(shm, { force: true });
  }
});

test("a log that is only appended to is begun anew", async () => {
  await using stage = openStage();
  const [file, log] = [join(stage.dir, "data"), join(stage.dir, "log")];
  writeFileSync(file, "what it was");
  const { pid } = await start(stage, "tree", ["/", file, log, "1"]);
  await waitFor("a line in the log", () => statSync(log).size > 0);
  const images = await dump(stage, pid);
  rmSync(log);
  await stageCheck({ id: "file-missing", stage, images, among: true });
  const preflight = await report(stage, "preflight", images);
  expect((await typed(stage, preflight, "file-missing")).exit).toBe(0);
  await restored(stage, images);
});
