import { restored, stageCheck } from "../stage-check.ts";
import { openStage, run } from "../stage.ts";
import { dumpWithMounts } from "./mounts.ts";
import { test } from "bun:test";
import { join } from "node:path";

test("root-missing: a directory it must be, a mount point it need not be", async () => {
  await using stage = openStage();
  const { root, images, data, map } = await dumpWithMounts(stage);
  const nowhere = join(stage.dir, "nowhere");
  await stageCheck({
    id: "root-missing",
    stage,
    images,
    options: ["--root", nowhere, ...map(data)],
    among: true,
  });
  await stageCheck({
    id: "root-missing",
    stage,
    images,
    options: ["--root", join(root, "app"), ...map(data)],
    among: true,
  });
  // Once it is no mount point any more, it does as well.
  await run(stage, ["umount", root]);
  await restored(stage, images, { options: ["--root", root, ...map(data)] });
});
