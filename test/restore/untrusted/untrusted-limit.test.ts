import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, openStage } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("untrusted-limit: killed later than the caller when memory runs short", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "objects", []);
  edit(images, `core-${pid}.img`, ([core]) => (core.tc.oom_score_adj = 300));
  const under = ["choom", "-n", "500", "--"];
  expect((await bareUnder(stage, under, images)).exit).toBe(0);
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("300");
  await killTree(stage, pid);
  const blocked = await reportUnder(stage, under, "restore", images, ["-d", "--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-limit"]);
  expect(finding(blocked, "untrusted-limit").message).toContain("300, and the caller's is 500");
  const own = await report(stage, "restore", images, ["--untrusted"]);
  expect([own.exit, ...blockers(own)]).toEqual([0]);
  await killTree(stage, pid);
});
