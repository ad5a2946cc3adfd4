import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { incomplete } from "../pages.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";

test("image-vmas: mappings in no order, pages in no mapping", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "memory", ["plain"]);
  const copy = (name: string) => {
    cpSync(images, join(stage.dir, name), { recursive: true });
    return join(stage.dir, name);
  };
  const unsorted = copy("unsorted");
  edit(unsorted, `mm-${pid}.img`, ([mm]) => void mm.vmas.splice(0, 2, mm.vmas[1], mm.vmas[0]));
  await stageCheck({ id: "image-vmas", stage, images: unsorted, ...incomplete });
  const outside = copy("outside");
  edit(outside, `pagemap-${pid}.img`, (values) => void (values[1].vaddr = 0x1000n));
  expect(
    (await stageCheck({ id: "image-vmas", stage, images: outside, ...incomplete })).subject,
  ).toBe("1000");
  await restores(stage, images);
});

test("image-vmas: of forked tasks, which have the same mappings, the one whose pages are others", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "many", ["3", "0", "0", "0"]);
  const pids = readdirSync(images).flatMap((name) => /^pagemap-(\d+)\.img$/.exec(name)?.[1] ?? []);
  expect(pids.length).toBe(3);
  for (const pid of pids) {
    const copy = copyOf(stage, images, `outside-${pid}`);
    edit(copy, `pagemap-${pid}.img`, (values) => void (values[1].vaddr = 0x1000n));
    const { findings } = await report(stage, "preflight", copy);
    const tasks = findings.filter(({ id }) => id === "image-vmas").map(({ task }) => task);
    expect(tasks).toEqual([Number(pid)]);
  }
});
