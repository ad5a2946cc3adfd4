import { startDumped } from "../stage/dumped.ts";
import { explained, finding, report } from "../report.ts";
import { restores } from "../stage-check.ts";
import { hierarchies, makeCgroup, openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

test("cgroup-memory-short: the tree's own cgroup allows less than it has, and the kernel ends the restore", async () => {
  await using stage = openStage();
  const hierarchy = hierarchies().find(({ controllers }) => controllers.includes("memory"))!;
  const cgroup = makeCgroup(stage, hierarchy, "workload");
  // A cgroup of v2 has the files of a controller once its parent hands that on.
  if (hierarchy.version === 2) writeFileSync(join(cgroup, "../cgroup.subtree_control"), "+memory");
  const limit = join(cgroup, hierarchy.version === 1 ? "memory.limit_in_bytes" : "memory.max");
  const { images } = await startDumped(stage, "memory", ["full", "64"], { cgroups: [cgroup] });
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  writeFileSync(limit, "16M");
  const told = await report(stage, "preflight", images);
  const named = finding(told, "cgroup-memory-short");
  expect([told.exit, named.severity]).toEqual([0, "warning"]);
  expect(named.message).toMatch(/hold 6[45] MiB of memory; .* allows 16 MiB$/);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).not.toBe(0);
  explained(named);
  writeFileSync(limit, hierarchy.version === 1 ? "-1" : "max");
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  await restores(stage, images);
});
