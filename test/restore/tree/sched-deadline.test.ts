import { blockers, finding, report } from "../report.ts";
import { dump, openStage, restoreBare, start } from "../stage.ts";
import { expect, test } from "bun:test";

test("sched-deadline: dumped without complaint, never restored", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["deadline"]);
  const images = await dump(stage, pid);
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
