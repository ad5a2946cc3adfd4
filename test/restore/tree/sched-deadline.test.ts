import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("sched-deadline: dumped without complaint, never restored", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "sched", ["deadline"]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["sched-deadline"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "sched-deadline").criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    verdict: {
      result: "match",
      differences: [{ class: "expected", found: "SCHED_OTHER" }],
    },
  });
});
