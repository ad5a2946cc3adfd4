import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { incomplete } from "../pages.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
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
