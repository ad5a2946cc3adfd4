import { losesPriorities } from "../criu.ts";
import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { dumpServer } from "../sockets.ts";
import { openStage, run } from "../stage.ts";
import { expect, test } from "bun:test";

/** What is said of the flag: one that has lost its priority with it needs a word. */
const told = losesPriorities
  ? { id: "sched-priority-lost", severity: "blocker" }
  : { id: "sched-reset-on-fork", severity: "info" };

test("FIFO 99 with the flag comes back with both, which only the kernel can tell", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["fifo", "99", "-5", "reset"]);
  const restored = await report(
    stage,
    "restore",
    images,
    losesPriorities ? ["--sched-prio=99"] : [],
  );
  expect(finding(restored, told.id)).toMatchObject({ ...told, image: `core-${pid}.img` });
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const { stdout } = await run(stage, ["chrt", "-p", `${pid}`]);
  expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK");
  expect(stdout).toContain("priority: 99");
});

test("the stale socket of a dead server is no finding", async () => {
  await using stage = openStage();
  const { images } = await dumpServer(stage);
  const preflight = await report(stage, "preflight", images);
  expect(preflight).toMatchObject({
    exit: 0,
    findings: [told],
  });
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
