import { removeCgroup } from "../stage/cgroups.ts";
import { dumpIn, v2 } from "../cgroup-rules.ts";
import { finding, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, makeCgroup, openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

test("cgroup-missing: no more cgroups are allowed there", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "above/workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  removeCgroup(cgroup);
  writeFileSync(join(cgroup, "../cgroup.max.descendants"), "0");
  // recriu lets the tree stay where it is by itself, so it is a blocker only where the user wants it otherwise.
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "cgroup-missing")).toMatchObject({
    severity: "blocker",
    subject: cgroup,
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "cgroup-missing").criu_message!);
  expect((await typed(stage, preflight, "cgroup-missing")).exit).toBe(0);
  await killTree(stage, pid);
  writeFileSync(join(cgroup, "../cgroup.max.descendants"), "max");
  await restored(stage, images);
});
