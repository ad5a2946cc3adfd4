import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { isBefore43 } from "../criu.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { test } from "bun:test";

test("image-version", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  for (const change of [
    { img_version: isBefore43 ? 3 : 4 },
    { fdinfo_per_id: false },
    { root_cg_set: 0 },
  ]) {
    const other = copyOf(stage, images, Object.keys(change)[0]!);
    edit(other, "inventory.img", ([inventory]) => void Object.assign(inventory, change));
    await stageCheck({ id: "image-version", stage, images: other, exit: 6 });
  }
  await restores(stage, images);
});
