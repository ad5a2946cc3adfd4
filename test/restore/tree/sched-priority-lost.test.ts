import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { dump, openStage, restoreBare, start } from "../stage.ts";
import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";

test("sched-priority-lost: an image as CRIU before 4.0 left it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["rr", "10", "0", "reset"]);
  const images = await dump(stage, pid);
  const lost = join(stage.dir, "lost");
  cpSync(images, lost, { recursive: true });
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
