/** What the images say of cgroups that are there, in which others are: bare CRIU does it, and recriu refuses. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { basename } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import {
  alive,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  restoreBare,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";

const v2 = hierarchies().find(({ version }) => version === 2)!;

/** A dump from a cgroup, and another cgroup with a process of somebody else's; the images name that one, too. */
async function stageVictim(entry: object) {
  const stage = openStage();
  const victim = makeCgroup(stage, v2, "victim");
  const workload = makeCgroup(stage, v2, "workload");
  const other = await start(stage, "objects", [], { cgroups: [victim] });
  const { pid, images } = await startDumped(stage, "objects", [], { cgroups: [workload] });
  edit(images, "cgroup.img", ([cgroup]) => {
    const { dirs } = cgroup.controllers.find(({ cnames }: any) => cnames[0] === "");
    const named = { dir_name: `${basename(stage.dir)}/victim`, children: [], properties: [] };
    dirs.push({ ...named, ...entry });
  });
  return { stage, victim, other: other.pid, pid, images };
}

test("the owner of a cgroup in which others are", async () => {
  const perms = { mode: 0o40777, uid: 65534, gid: 65534 };
  const { stage, victim, other, pid, images } = await stageVictim({ dir_perms: perms });
  await using _ = stage;
  const preflight = await report(stage, "restore", images);
  expect([preflight.exit, preflight.run, ...blockers(preflight)]).toEqual([
    3,
    null,
    "cgroup-owner",
  ]);
  expect(finding(preflight, "cgroup-owner").subject).toBe(victim);
  expect(statSync(victim).uid).toBe(0);
  const done = await typed(stage, preflight, "cgroup-owner");
  expect([done.exit, statSync(victim).uid]).toEqual([0, 0]);
  await killTree(stage, pid);
  expect((await typed(stage, preflight, "cgroup-owner")).exit).toBe(0);
  expect(statSync(victim).uid).toBe(0);
  await killTree(stage, pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(statSync(victim).uid).toBe(65534);
  await killTree(stage, pid);
  // It is empty: it may be the tree's own, made beforehand.
  await killTree(stage, other);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
});

test("a file that can only be written to: all that is in the cgroup is killed", async () => {
  const kill = { properties: [{ name: "cgroup.kill", value: "1" }] };
  const { stage, other, pid, images } = await stageVictim(kill);
  await using _ = stage;
  const full = ["--manage-cgroups=full"];
  const preflight = await report(stage, "restore", images, full);
  expect([preflight.exit, preflight.run, alive(other)]).toEqual([6, null, true]);
  expect(finding(preflight, "image-forged").subject).toBe("cgroup_prop_entry.name");
  await restoreBare(stage, images, full);
  expect(alive(other)).toBe(false);
  await killTree(stage, pid);
});
