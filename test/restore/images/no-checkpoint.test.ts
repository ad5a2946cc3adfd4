import { copyOf } from "../stage/dumped.ts";
import { dumpOne, said } from "../images.ts";
import { finding, report } from "../report.ts";
import { openStage, recriu, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

test("no directory, a file in its place, an empty directory", async () => {
  await using stage = openStage();
  const nowhere = await recriu(stage, ["preflight", "-D", join(stage.dir, "nowhere")]);
  expect(nowhere.exit).toBe(2);
  expect(nowhere.stderr).toContain("nowhere");
  expect((await recriu(stage, ["preflight", "-D", "/etc/passwd"])).exit).toBe(2);
  // A finding alone, where each image used to be one that is missing.
  const empty = await report(stage, "preflight", stage.dir);
  expect(empty.exit).toBe(2);
  expect(empty.findings.map(({ id }) => id)).toEqual(["no-checkpoint"]);
});

test("no-checkpoint: above the images, in a home directory, in what a pre-dump left", async () => {
  await using stage = openStage();
  const { images } = await dumpOne(stage);
  for (const command of ["preflight", "restore", "verify"]) {
    const above = await said(stage, command, ["-D", stage.dir]);
    expect(above.exit).toBe(2);
    expect(above.line).toContain(`holds no image itself, but broken, ${basename(images)} below it`);
  }
  const bare = await restoreBare(stage, stage.dir);
  expect(bare.exit).toBe(1);
  const above = await report(stage, "preflight", stage.dir);
  expect(finding(above, "no-checkpoint").criu_message).toBe("Unexpected EOF on (empty-image)");
  const led = await typed(stage, above, "no-checkpoint");
  expect([led.exit, led.stderr.includes("ready to restore")]).toEqual([0, true]);
  expect(bare.log).toContain("Unexpected EOF on (empty-image)");
  const home = join(stage.dir, "home");
  mkdirSync(home);
  writeFileSync(join(home, ".profile"), "");
  const plain = await said(stage, "restore", [], home);
  expect(plain).toMatchObject({ exit: 2 });
  expect(plain.line).toContain("the working directory (no --images-dir was given) holds no image");
  // No memory is tracked on every machine: what a pre-dump leaves is made of a dump.
  const before = copyOf(stage, images, "pre-dump");
  for (const file of readdirSync(before))
    if (!/^(?:inventory|pagemap-\d+|pages-\d+)\.img$/.test(file)) rmSync(join(before, file));
  const memory = await said(stage, "restore", ["-D", before]);
  expect(memory).toMatchObject({ exit: 2 });
  expect(memory.line).toContain("the memory that a pre-dump saved");
});
