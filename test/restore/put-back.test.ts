/** Files that are gone or others: what is told of them, and that the command, as it is typed, puts them back. */
import { startDumped } from "./stage/dumped.ts";
import { blockers, finding, report } from "./report.ts";
import { restored, stageCheck } from "./stage-check.ts";
import { openStage, run } from "./stage.ts";
import { reportUnder } from "./under.ts";
import { expect, test } from "bun:test";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("what no command can put back: its size and mode are told, and nobody is told to pad it", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "data");
  writeFileSync(file, "what it was", { mode: 0o640 });
  const { images } = await startDumped(stage, "objects", ["read", file]);
  truncateSync(file, 4);
  const shrunk = await stageCheck({ id: "file-changed", stage, images, among: true });
  expect(shrunk.remedy).toMatchObject({ kind: "human", command: null });
  expect(shrunk.remedy.text).toContain("a file of 11 bytes, mode 0640");
  rmSync(file);
  const gone = await stageCheck({ id: "file-missing", stage, images, among: true });
  expect(gone.remedy).toMatchObject({ kind: "human", command: null });
  expect(gone.remedy.text).toContain(
    "a file of 11 bytes, mode 0640; the images do not say which user it belonged to",
  );
  writeFileSync(file, "what it was", { mode: 0o640 });
  await restored(stage, images);
});

test("a file system that is not mounted is to be mounted, not the directory below it to be changed", async () => {
  await using stage = openStage();
  const at = join(stage.dir, "mnt");
  mkdirSync(at);
  const mount = ["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", at];
  expect((await run(stage, mount)).exit).toBe(0);
  writeFileSync(join(at, "data"), "what it was");
  const objects = ["chdir", at, "read", join(at, "data")];
  const { images } = await startDumped(stage, "objects", objects);
  expect((await run(stage, ["umount", at])).exit).toBe(0);

  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight).toSorted()).toEqual(["file-changed", "file-missing"]);
  const { remedy } = finding(preflight, "file-changed");
  expect(remedy.command).toBeNull();
  expect(remedy.text).toContain("if a file system was mounted there, mount it");
  expect(finding(preflight, "file-missing").remedy.text).toContain(
    `mounted at ${at}, which is empty`,
  );

  // Where /etc/fstab has it, it is known.
  const fstab = join(stage.dir, "fstab");
  writeFileSync(fstab, `# here\ntmpfs ${at} tmpfs mode=0700 0 0\n`);
  const planned = (command: string) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `mount --bind ${fstab} /etc/fstab && ${command}`,
  ];
  const known = await reportUnder(stage, planned, "preflight", images);
  for (const id of ["file-changed", "file-missing"])
    expect(finding(known, id).remedy.command).toBe(`mount ${at}`);
  const again = await reportUnder(
    stage,
    (command) => planned(`mount ${at} && printf 'what it was' >${at}/data && ${command}`),
    "restore",
    images,
  );
  expect(again).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
});
