import { dumpIn, v2 } from "../cgroup-rules.ts";
import { blockers, finding, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, makeCgroup, openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("cgroup-frozen: bare CRIU hangs", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "above/workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  for (const frozen of [cgroup, join(cgroup, "..")]) {
    writeFileSync(join(frozen, "cgroup.freeze"), "1");
    const preflight = await report(stage, "preflight", images);
    expect(blockers(preflight)).toEqual(["cgroup-frozen"]);
    expect((await report(stage, "restore", images)).exit).toBe(3);
    expect((await restoreBare(stage, images, [], { timeout: 3000 })).exit).toBe(null);
    expect((await typed(stage, preflight, "cgroup-frozen")).exit).toBe(0);
    await restored(stage, images);
    await killTree(stage, pid);
  }
});

test("cgroup-frozen: a name with a backslash, as systemd's have", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "a\\x2db");
  const { images } = await dumpIn(stage, cgroup);
  writeFileSync(join(cgroup, "cgroup.freeze"), "1");
  expect(finding(await report(stage, "preflight", images), "cgroup-frozen").subject).toBe(cgroup);
  writeFileSync(join(cgroup, "cgroup.freeze"), "0");
  await restored(stage, images);
});

test("--cgroup-root: the cgroups that count are those below the new root", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  const moved = makeCgroup(stage, v2, "moved");
  // What would stop the tree at its old place does not matter.
  writeFileSync(join(cgroup, "cgroup.freeze"), "1");
  expect(blockers(await report(stage, "preflight", images))).toEqual(["cgroup-frozen"]);
  const path = moved.slice(v2.mount.length);
  const there = await restored(stage, images, { options: ["--cgroup-root", `:${path}`] });
  expect(readFileSync(`/proc/${there}/cgroup`, "utf8")).toContain(`0::${path}\n`);
  await killTree(stage, pid);
});
