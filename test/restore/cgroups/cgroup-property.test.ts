import { removeCgroup } from "../stage/cgroups.ts";
import { changed, dumpIn, eventually, v2 } from "../cgroup-rules.ts";
import { report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { hierarchies, killTree, makeCgroup, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const v1 = (controller: string) =>
  hierarchies().find(
    ({ version, controllers }) => version === 1 && controllers.join() === controller,
  );

// Shares of processor time stand in cgroup v1's own controller only: without v1 there is nothing to stage.
test.if(v1("cpu") !== undefined)(
  "cgroup-property: more processor time than the parent has now",
  async () => {
    await using stage = openStage();
    const cgroup = makeCgroup(stage, v1("cpu")!, "above/workload");
    const above = join(cgroup, "..");
    for (const dir of [above, cgroup]) writeFileSync(join(dir, "cpu.cfs_quota_us"), "50000");
    const { pid, images } = await dumpIn(stage, cgroup);
    removeCgroup(cgroup);
    await eventually(() => writeFileSync(join(above, "cpu.cfs_quota_us"), "20000"));
    const named = await stageCheck({ id: "cgroup-property", stage, images, among: true });
    expect(named).toMatchObject({
      subject: `${cgroup}/cpu.cfs_quota_us`,
      remedy: { command: `mkdir -p ${cgroup}` },
    });
    expect(named.message).toContain("50% of a processor");
    removeCgroup(cgroup); // CRIU left it
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "cgroup-property")).exit).toBe(0);
    await restored(stage, images);
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toContain("/above/workload");
    await killTree(stage, pid);
    // In mode full CRIU writes into the one that is there.
    const full = await stageCheck({
      id: "cgroup-property",
      stage,
      images,
      options: ["--manage-cgroups=full"],
      among: true,
    });
    expect(full.remedy.command).toBe("--manage-cgroups=soft");
    removeCgroup(cgroup);
    await restored(stage, images, { options: ["--manage-cgroups=ignore"] });
  },
);

test("cgroup-property: a file that this kernel's cgroups do not have", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { images } = await dumpIn(stage, cgroup);
  removeCgroup(cgroup);
  const copy = changed(stage, images, "memory", ({ controllers }) => {
    const unified = controllers.find(({ cnames }: any) => cnames[0] === "");
    unified.dirs[0].properties.push({ name: "memory.max", value: "1000000" });
  });
  const named = await stageCheck({ id: "cgroup-property", stage, images: copy, among: true });
  expect(named.subject).toBe(join(cgroup, "memory.max"));
  removeCgroup(cgroup);
  const told = await report(stage, "preflight", copy);
  expect((await typed(stage, told, "cgroup-property")).exit).toBe(0);
  await restored(stage, copy);
});
