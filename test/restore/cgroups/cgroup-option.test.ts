import { changed, dumpIn, v2 } from "../cgroup-rules.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { killTree, makeCgroup, openStage } from "../stage.ts";
import { test } from "bun:test";
import { join } from "node:path";

test("cgroup-option: a yard that is not there, two roots for one hierarchy", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpIn(stage, makeCgroup(stage, v2, "workload"));
  const yard = join(stage.dir, "yard");
  await stageCheck({
    id: "cgroup-option",
    stage,
    images,
    options: ["--cgroup-yard", yard],
    among: true,
  });
  const two = changed(stage, images, "two", (cgroup) => {
    // Where there is cgroup2 alone, that one has to do.
    const [first] = cgroup.controllers;
    const named = cgroup.controllers.find(({ cnames }: any) => cnames[0] !== "") ?? first;
    named.cnames = ["first", "second"];
  });
  await stageCheck({
    id: "cgroup-option",
    stage,
    images: two,
    options: ["--cgroup-root=first:/a", "--cgroup-root=second:/b"],
    among: true,
  });
  await restored(stage, images);
  await killTree(stage, pid);
});
