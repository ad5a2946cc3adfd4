import { removeCgroup } from "../stage/cgroups.ts";
import { changed, dumpIn, v2 } from "../cgroup-rules.ts";
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

test("cgroup-missing: a cgroup that the images name, and do not have", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { images } = await dumpIn(stage, cgroup);
  removeCgroup(cgroup);
  // As CRIU before 4.1 dumps it beside one by the name of "work": that one's child, under a name without its first letters.
  const cut = changed(stage, images, "cut", ({ controllers }) => {
    const unified = controllers.find(({ cnames }: any) => cnames[0] === "");
    unified.dirs.at(-1).dir_name = unified.dirs.at(-1).dir_name.slice(0, -4);
  });
  const preflight = await report(stage, "preflight", cut);
  const named = finding(preflight, "cgroup-missing");
  expect(named).toMatchObject({ severity: "blocker", subject: cgroup });
  const bare = await restoreBare(stage, cut);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);
  removeCgroup(cgroup.slice(0, -4));
  expect((await typed(stage, preflight, "cgroup-missing")).exit).toBe(0);
});
