import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { hierarchies, killTree, makeCgroup, openStage, restoreBare, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const cpu = hierarchies().find(
  ({ version, controllers, mount }) =>
    version === 1 && controllers.includes("cpu") && existsSync(join(mount, "cpu.rt_runtime_us")),
);

// Only cgroup v1 with CONFIG_RT_GROUP_SCHED has such budgets.
test.skipIf(cpu === undefined)(
  "sched-rt-budget: no real-time in a cgroup without one",
  async () => {
    await using stage = openStage();
    const cgroup = makeCgroup(stage, cpu!, "workload");
    const { pid, images } = await startDumped(stage, "sched", ["other", "0", "0"], {
      cgroups: [cgroup],
    });
    expect((await report(stage, "preflight", images)).findings).toEqual([]);
    // A real-time thread has no timer slack, which CRIU 4.3 saves.
    edit(images, `core-${pid}.img`, ([core]) => {
      Object.assign(core.thread_core, { sched_policy: 1, sched_prio: 5 });
      if (core.thread_core.timerslack_ns !== undefined) core.thread_core.timerslack_ns = 0n;
    });
    const preflight = await report(stage, "preflight", images);
    expect(finding(preflight, "sched-rt-budget")).toMatchObject({
      severity: "warning",
      subject: cgroup,
    });
    expect((await restoreBare(stage, images)).exit).toBe(0);
    const policy = async () => (await run(stage, ["chrt", "-p", `${pid}`])).stdout;
    expect(await policy()).toContain("SCHED_OTHER");
    await killTree(stage, pid);
    expect((await typed(stage, preflight, "sched-rt-budget")).exit).toBe(0);
    expect((await report(stage, "restore", images)).exit).toBe(0);
    expect(await policy()).toContain("SCHED_FIFO");
    await killTree(stage, pid);
    for (const dir of [cgroup, join(cgroup, "..")])
      writeFileSync(join(dir, "cpu.rt_runtime_us"), "0");
    // The cgroup of the caller has a budget.
    const ignored = await report(stage, "restore", images, ["--manage-cgroups=ignore"]);
    expect(ignored).toMatchObject({ exit: 0, findings: [] });
    expect(await policy()).toContain("SCHED_FIFO");
  },
);
