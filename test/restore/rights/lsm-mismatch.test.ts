import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { otherLsm } from "../rights.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("lsm-mismatch: a profile of a module that does not run here", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const foreign = copyOf(stage, images, "foreign");
  edit(foreign, "inventory.img", ([inventory]) => (inventory.lsmtype = otherLsm.type));
  // Without a profile another module does not matter.
  expect((await report(stage, "preflight", foreign)).findings).toEqual([]);
  edit(foreign, `core-${pid}.img`, ([core]) => {
    core.thread_core.creds.lsm_profile = otherLsm.label;
  });
  const preflight = await report(stage, "preflight", foreign);
  expect(blockers(preflight)).toEqual(["lsm-mismatch"]);
  const bare = await restoreBare(stage, foreign);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "lsm-mismatch").criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
