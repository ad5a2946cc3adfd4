import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("address-space", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "memory", ["plain"]);
  const high = copyOf(stage, images, "high");
  edit(high, `mm-${pid}.img`, ([mm]) => {
    const at = mm.vmas.findLastIndex((vma: any) => vma.start < 1n << 48n);
    const below = mm.vmas.find((vma: any) => (vma.status & 0x200) !== 0 && vma.flags === 0x22);
    const top = 1n << 56n;
    mm.vmas.splice(at + 1, 0, { ...below, start: top, end: top + 4096n });
  });
  await stageCheck({ id: "address-space", stage, images: high });
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
