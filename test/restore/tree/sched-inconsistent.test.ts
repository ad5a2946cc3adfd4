import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("sched-inconsistent: values that no kernel gives", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["fifo", "50", "0"]);
  for (const [index, wrong] of [
    { sched_nice: 20 },
    { sched_prio: 100 },
    { sched_policy: 3, sched_prio: 1 },
    { sched_policy: 9, sched_prio: 0 },
  ].entries()) {
    const spoiled = copyOf(stage, images, `spoiled-${index}`);
    edit(spoiled, `core-${pid}.img`, ([core]) => Object.assign(core.thread_core, wrong));
    const preflight = await report(stage, "preflight", spoiled);
    expect(blockers(preflight)).toEqual(["sched-inconsistent"]);
    const bare = await restoreBare(stage, spoiled);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(finding(preflight, "sched-inconsistent").criu_message!);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
