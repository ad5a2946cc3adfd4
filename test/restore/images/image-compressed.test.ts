/** Memory that crit of CRIU 4.3 has packed, as a dump with --compress does; no CRIU here has LZ4, crit has it. */
import { copyOf, startDumped } from "../stage/dumped.ts";
import { forky, newest } from "../criu.ts";
import { edit } from "../edit.ts";
import { blockers, finding, type Report, report, sameWords } from "../report.ts";
import { crit } from "../shadow.ts";
import { restored } from "../stage-check.ts";
import { killTree, openStage, recriu, run, type Stage } from "../stage.ts";
import { programs, typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { cpSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

async function pack(stage: Stage, images: string) {
  expect(await run(stage, [crit, "compress", "--in-place", images])).toMatchObject({ exit: 0 });
}

/** The command of the finding, typed where crit is in PATH. */
function unpack(stage: Stage, told: Report) {
  writeFileSync(join(programs(stage), "crit"), `#!/bin/sh\nexec ${crit} "$@"\n`, { mode: 0o755 });
  return typed(stage, told, "image-compressed");
}

async function saidBy(stage: Stage, criu: string, images: string, words: string) {
  const argv = [criu, "restore", "-d", "-D", images, "-W", stage.dir, "-o", "log"];
  expect((await run(stage, argv)).exit).toBe(1);
  const lines = readFileSync(join(stage.dir, "log"), "utf8").split("\n");
  expect(lines.some((line) => sameWords(line, words))).toBe(true);
}

test("image-compressed: packed pages are not short, name the CRIU that can read them, and restore when they are unpacked", async () => {
  await using stage = openStage();
  const { images, pid } = await startDumped(stage);
  const packed = copyOf(stage, images, "packed");
  await pack(stage, packed);
  const pages = join(packed, "pages-1.img");
  expect(statSync(pages).size).toBeLessThan(statSync(join(images, "pages-1.img")).size);

  const by = ["--criu", forky];
  const older = finding(await report(stage, "preflight", packed, by), "image-version");
  expect(older.message).toContain("CRIU 4.3 or later that compressed the memory");
  await saidBy(stage, forky, packed, older.criu_message!);

  const told = await report(stage, "preflight", packed, ["--criu", newest]);
  expect(blockers(told)).toEqual(["image-compressed"]);
  await saidBy(stage, newest, packed, finding(told, "image-compressed").criu_message!);

  // What they promise is still held against what there is.
  const short = copyOf(stage, packed, "short");
  truncateSync(join(short, "pages-1.img"), statSync(pages).size - 1);
  expect(blockers(await report(stage, "preflight", short, ["--criu", newest]))).toContain(
    "pages-short",
  );
  expect((await recriu(stage, ["show", "-D", packed])).stdout).toContain("compressed");

  expect((await unpack(stage, told)).exit).toBe(0);
  expect(await restored(stage, packed, { options: ["--criu", newest] })).toBe(pid);
  await killTree(stage, pid);
});

test("image-compressed: an inventory that says so of images that have none", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const damaged = copyOf(stage, images, "damaged");
  edit(damaged, "inventory.img", ([inventory]) => void (inventory.compress = 1));
  const named = finding(
    await report(stage, "preflight", damaged, ["--criu", newest]),
    "image-compressed",
  );
  expect(named.criu_message).toBe("Image version 2 cannot contain compressed memory pages");
  await saidBy(stage, newest, damaged, named.criu_message!);
});

test("image-compressed: the older checkpoint of an incremental one, whose bytes an older CRIU takes for pages", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  // As in image-parent: the second dump is the first, its pages declared to be in the parent.
  const [older, newer] = [join(stage.dir, "older"), join(stage.dir, "newer")];
  for (const copy of [older, newer]) cpSync(images, copy, { recursive: true });
  await pack(stage, older);
  writeFileSync(join(newer, "pages-1.img"), "");
  symlinkSync("../older", join(newer, "parent"));
  edit(newer, `pagemap-${pid}.img`, ([, ...entries]) => {
    for (const entry of entries) Object.assign(entry, { flags: 1, in_parent: true });
  });

  const misread = await report(stage, "preflight", newer, ["--criu", forky]);
  expect(blockers(misread)).toEqual(["image-compressed"]);
  expect(finding(misread, "image-compressed")).toMatchObject({
    subject: "blocks",
    criu_message: null,
  });
  const argv = [forky, "restore", "-d", "-D", newer, "-W", stage.dir, "-o", "log", "-v0"];
  expect((await run(stage, argv, { timeout: 2000 })).exit).toBeNull();

  const told = await report(stage, "preflight", newer, ["--criu", newest]);
  await saidBy(stage, newest, newer, finding(told, "image-compressed").criu_message!);
  expect((await unpack(stage, told)).exit).toBe(0);
  for (const criu of [forky, newest]) {
    expect(await restored(stage, newer, { options: ["--criu", criu] })).toBe(pid);
    await killTree(stage, pid);
  }
});
