import { openCheckpoint, registersOf } from "../../../src/image/index.ts";
import { blocks, copy, dumped, veto } from "../dedup.ts";
import { edit } from "../edit.ts";
import { dumpOne } from "../images.ts";
import { finding, report } from "../report.ts";
import { endsIn } from "../pages.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage, recriu, restoreBare, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { statSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";

/** Punch a part of a pages image out, as a restore that is killed half-way does. */
function punch(images: string, file: string, offset: number, length: number): void {
  const words = ["-p", "-o", `${offset}`, "-l", `${length}`, join(images, file)];
  if (!Bun.spawnSync(["fallocate", ...words]).success) throw new Error(`fallocate ${words}`);
}

test("pages-short: images that a restore has consumed", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const lost = copy(stage, images, "lost");
  const refused = ["--auto-dedup", "--action-script", veto(stage)];
  expect((await restoreBare(stage, lost, refused)).exit).toBe(1);
  const named = await stageCheck({ id: "pages-short", stage, images: lost, exit: 6 });
  expect(named).toMatchObject({
    severity: "blocker",
    criu_message: expect.stringMatching(/^vdso: .*ELF.* magic/),
  });
  expect(named.message).toContain("are holes");
  expect((await recriu(stage, ["restore", "-D", lost])).exit).toBe(6);

  // A copy with holes for its pages of zeros is whole.
  const sparse = join(stage.dir, "sparse");
  await run(stage, ["cp", "-r", "--sparse=always", images, sparse]);
  expect(blocks(sparse)).not.toEqual(blocks(images));
  await restores(stage, sparse);
  await killTree(stage, pid);
});

test("pages-short: what went half-way, from the lowest address on", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const opened = openCheckpoint(images);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const { checkpoint } = opened;
  const contents = checkpoint.contents(`pagemap-${pid}.img`, false);
  const name = contents[0]!.file.slice(images.length + 1);
  const { thread } = registersOf(checkpoint.root!.core)!;
  const block = contents.find(({ page, pages }) => Number(thread >> 12n) < page + pages)!;
  const half = copy(stage, images, "half");
  punch(half, name, 0, block.offset + block.pages * 4096);
  const named = finding(await report(stage, "restore", half), "pages-short");
  expect(named).toMatchObject({ severity: "blocker", subject: name, criu_message: null });
  // CRIU restores it, and the program dies at its first look; where the kernel has put the ring of its AIO below, CRIU misses that.
  const { exit, errors } = await restoreBare(stage, half);
  if (exit === 0) await killTree(stage, pid);
  else expect(errors.join("\n")).toContain("wrong aio");
  // Only the program's own data: it may be so.
  const less = copy(stage, images, "less");
  punch(less, name, 0, contents[0]!.pages * 4096);
  const doubtful = await report(stage, "preflight", less);
  expect(doubtful).toMatchObject({
    exit: 0,
    findings: [{ id: "pages-short", severity: "warning" }],
  });
  // In a parent.
  const older = copy(stage, half, "older");
  const newer = copy(stage, images, "newer");
  symlinkSync(older, join(newer, "parent"));
  edit(newer, `pagemap-${pid}.img`, ([, ...runs]) => {
    for (const each of runs) Object.assign(each, { flags: 1, in_parent: true });
  });
  const inParent = finding(await report(stage, "preflight", newer), "pages-short");
  expect(inParent.message).toContain(`${newer}/parent/${name}`);
});

test("pages-short: bare CRIU spins for ever, from 4.3 on it says so; recriu does not start it", async () => {
  await using stage = openStage();
  const { broken } = await dumpOne(stage);
  const pages = join(broken, "pages-1.img");
  truncateSync(pages, statSync(pages).size - 4096);
  const preflight = await report(stage, "restore", broken);
  expect(preflight).toMatchObject({ exit: 6, run: null });
  const named = finding(preflight, "pages-short");
  expect(named.subject).toBe("pages-1.img");
  await endsIn(stage, broken, preflight.criu.version!, named.criu_message);
});
