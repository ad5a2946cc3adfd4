import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

test("mappings-too-many", async () => {
  await using stage = openStage();
  const most = "vm/max_map_count";
  using _ = setting(most, 80_000);
  const { images } = await startDumped(stage, "memory", ["many", "67000"]);
  {
    using __ = setting(most, 65_530);
    const named = await stageCheck({ id: "mappings-too-many", stage, images });
    expect(named.remedy.command).toBe("sysctl -w vm.max_map_count=131072");
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "mappings-too-many")).exit).toBe(0);
    await restores(stage, images);
  }
});
