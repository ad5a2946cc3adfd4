import { startDumped } from "../stage/dumped.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { reportUnder } from "../under.ts";
import { expect, test } from "bun:test";

test("mmap-min-addr", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "memory", ["low"]);
  const noRawio = ["capsh", "--drop=cap_sys_rawio", "--", "-c", 'exec "$@"', "sh"];
  {
    using _ = setting("vm/mmap_min_addr", 65536);
    const named = await stageCheck({ id: "mmap-min-addr", stage, images, under: noRawio });
    expect(named).toMatchObject({ task: pid, subject: "0x2000" });
    // With the capability no limit counts.
    await restores(stage, images);
    await killTree(stage, pid);
    const told = await reportUnder(stage, noRawio, "preflight", images);
    expect((await typed(stage, told, "mmap-min-addr")).exit).toBe(0);
    await restores(stage, images, { under: noRawio });
    await killTree(stage, pid);
  }
  using _ = setting("vm/mmap_min_addr", 8192);
  await restores(stage, images, { under: noRawio });
});
