/** Scheduling with SCHED_RESET_ON_FORK: as saved by CRIU 4, and as CRIU before 4.0 wrote it. */
import { expect, test } from "bun:test";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import {
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  restoreBare,
  run,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";
import { bareUnder, reportUnder } from "./under.ts";

test("FIFO 99 with the flag comes back with both, which only the kernel can tell", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["fifo", "99", "-5", "reset"]);
  const images = await dump(stage, pid);
  const restored = await report(stage, "restore", images);
  expect(finding(restored, "sched-reset-on-fork")).toMatchObject({
    severity: "info",
    image: `core-${pid}.img`,
  });
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const { stdout } = await run(stage, ["chrt", "-p", `${pid}`]);
  expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK");
  expect(stdout).toContain("priority: 99");
});

test("sched-priority-lost: an image as CRIU before 4.0 left it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["rr", "10", "0", "reset"]);
  const images = await dump(stage, pid);
  const lost = join(stage.dir, "lost");
  cpSync(images, lost, { recursive: true });
  edit(lost, `core-${pid}.img`, ([core]) => delete core.thread_core.sched_prio);
  const preflight = await report(stage, "preflight", lost, ["--fix=none"]);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "sched-priority-lost")).toMatchObject({
    task: pid,
    subject: `thread ${pid}`,
  });
  const bare = await restoreBare(stage, lost);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "sched-priority-lost").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

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

test("sched-inconsistent: values that no kernel gives", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["fifo", "50", "0"]);
  const images = await dump(stage, pid);
  for (const [index, wrong] of [
    { sched_nice: 20 },
    { sched_prio: 100 },
    { sched_policy: 3, sched_prio: 1 },
    { sched_policy: 9, sched_prio: 0 },
  ].entries()) {
    const spoiled = join(stage.dir, `spoiled-${index}`);
    cpSync(images, spoiled, { recursive: true });
    edit(spoiled, `core-${pid}.img`, ([core]) => Object.assign(core.thread_core, wrong));
    const preflight = await report(stage, "preflight", spoiled);
    expect(blockers(preflight)).toEqual(["sched-inconsistent"]);
    const bare = await restoreBare(stage, spoiled);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(finding(preflight, "sched-inconsistent").criu_message!);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

/** Without CAP_SYS_NICE. */
const notNice = ["capsh", "--drop=cap_sys_nice", "--", "-c", 'exec "$@"', "sh"];

test("sched-not-permitted: CRIU loses a priority without a word", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["rr", "20", "-3"]);
  const images = await dump(stage, pid);
  // The bounding set is part of the credentials: a task that had no CAP_SYS_NICE needs none.
  edit(images, `core-${pid}.img`, ([core]) => {
    const creds = core.thread_core.creds;
    for (const set of [creds.cap_prm, creds.cap_eff, creds.cap_bnd]) set[0] &= ~(1 << 23);
    for (const set of [creds.cap_prm, creds.cap_eff, creds.cap_bnd]) set[0] >>>= 0;
  });
  const preflight = await reportUnder(stage, notNice, "preflight", images);
  expect(preflight.exit).toBe(0);
  expect(finding(preflight, "sched-not-permitted")).toMatchObject({
    severity: "warning",
    subject: `thread ${pid}`,
  });
  const policy = async () => (await run(stage, ["chrt", "-p", `${pid}`])).stdout;
  expect((await bareUnder(stage, notNice, images)).exit).toBe(0);
  expect(await policy()).toContain("SCHED_OTHER");
  await killTree(stage, pid);
  const allowed = await report(stage, "restore", images);
  expect(allowed).toMatchObject({ exit: 0, findings: [] });
  expect(await policy()).toContain("SCHED_RR");
});

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
    const { pid } = await start(stage, "sched", ["other", "0", "0"], { cgroups: [cgroup] });
    const images = await dump(stage, pid);
    expect((await report(stage, "preflight", images)).findings).toEqual([]);
    edit(images, `core-${pid}.img`, ([core]) =>
      Object.assign(core.thread_core, { sched_policy: 1, sched_prio: 5 }),
    );
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
