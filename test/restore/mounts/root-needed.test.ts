import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { dumpWithMounts } from "./mounts.ts";
import { expect, test } from "bun:test";

test("root-needed: without --root CRIU crashes or refuses", async () => {
  await using stage = openStage();
  const { root, images, data, map } = await dumpWithMounts(stage);
  const named = await stageCheck({
    id: "root-needed",
    stage,
    images,
    options: map(data),
    among: true,
  });
  expect(named.remedy.command).toBe(`--root ${root}`);
  const told = await report(stage, "preflight", images, map(data));
  expect((await typed(stage, told, "root-needed", { options: map(data) })).exit).toBe(0);
});
