import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

test("hugepages-short", async () => {
  await using stage = openStage();
  const pages = "vm/nr_hugepages";
  const { images } = await (async () => {
    using _ = setting(pages, 8); // CRIU itself maps one to learn what they look like, one before 4.0 the tree's again
    return await startDumped(stage, "memory", ["huge"]);
  })();
  {
    using _ = setting(pages, 1);
    const named = await stageCheck({ id: "hugepages-short", stage, images });
    expect(named.remedy.command).toEndWith(
      "echo 2 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
    );
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "hugepages-short")).exit).toBe(0);
    await restores(stage, images);
  }
});
