import { copyOf } from "../stage/dumped.ts";
import { changed, dumpIn, v2 } from "../cgroup-rules.ts";
import { edit } from "../edit.ts";
import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { makeCgroup, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

test("cgroup-set-missing: a set, and a controller, that the images lack", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpIn(stage, makeCgroup(stage, v2, "workload"));
  const stray = copyOf(stage, images, "stray");
  edit(stray, `core-${pid}.img`, ([core]) => {
    // Before CRIU 3.18 a process had one, its threads none.
    const holder = core.tc.cg_set === undefined ? core.thread_core : core.tc;
    holder.cg_set = 77;
  });
  expect(
    await stageCheck({ id: "cgroup-set-missing", stage, images: stray, among: true }),
  ).toMatchObject({ subject: "set 77" });
  const lost = changed(stage, images, "lost", (cgroup) => {
    cgroup.controllers = cgroup.controllers.filter(({ cnames }: any) => cnames[0] !== "");
  });
  await stageCheck({ id: "cgroup-set-missing", stage, images: lost, among: true });
  const told = await report(stage, "preflight", lost);
  expect((await typed(stage, told, "cgroup-set-missing")).exit).toBe(0);
});
