import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("sched-priority-lost: an image as CRIU before 4.0 left it", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["rr", "10", "0", "reset"]);
  const lost = copyOf(stage, images, "lost");
  edit(lost, `core-${pid}.img`, ([core]) => delete core.thread_core.sched_prio);
  const preflight = await report(stage, "preflight", lost, ["--fix=none"]);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "sched-priority-lost")).toMatchObject({
    task: pid,
    subject: `thread ${pid}`,
  });
  const bare = await restoreBare(stage, lost);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "sched-priority-lost").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
