import { edit } from "../edit.ts";
import { dumpOf } from "../inventory.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { test } from "bun:test";

test("image-version", async () => {
  await using stage = openStage();
  const { images, copy } = await dumpOf(stage);
  for (const change of [{ img_version: 3 }, { fdinfo_per_id: false }, { root_cg_set: 0 }]) {
    const other = copy(Object.keys(change)[0]!);
    edit(other, "inventory.img", ([inventory]) => void Object.assign(inventory, change));
    await stageCheck({ id: "image-version", stage, images: other, exit: 6 });
  }
  await restores(stage, images);
});
