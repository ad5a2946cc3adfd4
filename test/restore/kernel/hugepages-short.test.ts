import { is317 } from "../criu.ts";
import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

const pages = "vm/nr_hugepages";

// As a memory file they need their pages twice: in the file, and for what is written over them.
test.each([
  ["huge", is317 ? 4 : 2],
  ["shared-huge", 2],
])("hugepages-short: %s", async (what, needed) => {
  await using stage = openStage();
  const { images } = await (async () => {
    using _ = setting(pages, 8); // CRIU itself maps one to learn what they look like, an older one the tree's again
    return await startDumped(stage, "memory", [what]);
  })();
  for (const there of needed === 4 ? [3, 1] : [1]) {
    using _ = setting(pages, there);
    const named = await stageCheck({ id: "hugepages-short", stage, images });
    expect(named.remedy.command).toEndWith(
      `echo ${needed} > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`,
    );
    if (there > 1) continue;
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "hugepages-short")).exit).toBe(0);
    await restores(stage, images);
  }
});
