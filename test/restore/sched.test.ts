/** Scheduling with SCHED_RESET_ON_FORK: as saved by CRIU 4, and as CRIU before 4.0 wrote it. */
import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { finding, report } from "./report.ts";
import { dump, openStage, restoreBare, run, start } from "./stage.ts";

test("FIFO 99 with the flag comes back with both, which only the kernel can tell", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["fifo", "99", "-5", "reset"]);
  const images = await dump(stage, pid);
  const restored = await report(stage, "restore", images);
  expect(finding(restored, "sched-reset-on-fork")).toMatchObject({
    severity: "info",
    image: `core-${pid}.img`,
  });
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const { stdout } = await run(stage, ["chrt", "-p", `${pid}`]);
  expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK");
  expect(stdout).toContain("priority: 99");
});

test("sched-priority-lost: an image as CRIU before 4.0 left it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["rr", "10", "0", "reset"]);
  const images = await dump(stage, pid);
  const lost = join(stage.dir, "lost");
  cpSync(images, lost, { recursive: true });
  edit(lost, `core-${pid}.img`, ([core]) => delete core.thread_core.sched_prio);
  const preflight = await report(stage, "preflight", lost);
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
