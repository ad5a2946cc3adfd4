import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { endsIn, incomplete } from "../pages.ts";
import { finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage, restoreBare, type Stage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/**
 * What two dumps make, the second with --prev-images-dir and nothing changed in between: this kernel cannot track
 * changes (CONFIG_MEM_SOFT_DIRTY), so the second is the first, with its pages declared to be in the parent.
 */
async function incremental(stage: Stage) {
  const { pid, images: whole } = await startDumped(stage, "memory", ["plain"]);
  const older = join(stage.dir, "older");
  const newer = join(stage.dir, "newer");
  mkdirSync(older);
  cpSync(whole, newer, { recursive: true });
  for (const file of [`pagemap-${pid}.img`, "pages-1.img"])
    cpSync(join(whole, file), join(older, file));
  writeFileSync(join(newer, "pages-1.img"), "");
  symlinkSync("../older", join(newer, "parent"));
  edit(newer, `pagemap-${pid}.img`, ([, ...runs]) => {
    for (const run of runs) Object.assign(run, { flags: 1, in_parent: true });
  });
  return { pid, whole, older, newer };
}

test("image-parent: the older checkpoint is gone", async () => {
  await using stage = openStage();
  const { pid, newer, older } = await incremental(stage);
  renameSync(older, `${older}.aside`);
  const named = await stageCheck({ id: "image-parent", stage, images: newer, ...incomplete });
  expect(named).toMatchObject({ task: pid, subject: "parent" });
  const told = await report(stage, "preflight", newer);
  const fill = { "/PATH/OF/THE/OLDER/CHECKPOINT": `${older}.aside` };
  expect((await typed(stage, told, "image-parent", { fill })).exit).toBe(0);
  await restores(stage, newer);
});

test("image-parent: the older checkpoint has not all", async () => {
  await using stage = openStage();
  const { pid, newer, older } = await incremental(stage);
  cpSync(older, `${older}.aside`, { recursive: true });
  edit(older, `pagemap-${pid}.img`, (values) => void (values[2].vaddr += 4096n));
  await stageCheck({ id: "image-parent", stage, images: newer, ...incomplete });
  rmSync(older, { recursive: true });
  cpSync(`${older}.aside`, older, { recursive: true });
  rmSync(join(older, "pages-1.img"));
  await stageCheck({ id: "image-parent", stage, images: newer, ...incomplete });
});

test("image-parent: what bare CRIU before 4.3 never says", async () => {
  await using stage = openStage();
  const { newer, older, pid } = await incremental(stage);
  const spins = async (images: string) => {
    const told = await report(stage, "restore", images);
    const named = finding(told, "image-parent");
    expect(named.severity).toBe("blocker");
    await endsIn(stage, images, told.criu.version!, named.criu_message);
  };
  // No link at all: as when only the last directory was copied.
  const alone = join(stage.dir, "alone");
  cpSync(newer, alone, { recursive: true, verbatimSymlinks: true });
  rmSync(join(alone, "parent"));
  await spins(alone);
  truncateSync(join(older, "pages-1.img"), 8192);
  await spins(newer);
  rmSync(join(older, `pagemap-${pid}.img`));
  await spins(newer);
});

test("image-parent: a link that leads back", async () => {
  await using stage = openStage();
  const { newer } = await incremental(stage);
  rmSync(join(newer, "parent"));
  symlinkSync(".", join(newer, "parent"));
  const named = finding(await report(stage, "preflight", newer), "image-parent");
  expect(named.severity).toBe("blocker");
  expect((await restoreBare(stage, newer, ["-v0"])).exit).not.toBe(0);
});

test("image-parent: a chain of fifty is none", async () => {
  await using stage = openStage();
  const { pid, older, newer } = await incremental(stage);
  let last = older;
  for (let level = 0; level < 50; level += 1) {
    const middle = join(stage.dir, `middle-${level}`);
    mkdirSync(middle);
    cpSync(join(newer, `pagemap-${pid}.img`), join(middle, `pagemap-${pid}.img`));
    symlinkSync(last, join(middle, "parent"));
    last = middle;
  }
  rmSync(join(newer, "parent"));
  symlinkSync(last, join(newer, "parent"));
  await restores(stage, newer);
});
