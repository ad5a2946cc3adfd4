import { startDumped } from "../stage/dumped.ts";
import { hierarchies, makeCgroup, openStage } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

test("untrusted-cgroup: a cgroup of others is joined", async () => {
  await using stage = openStage();
  const hierarchy = hierarchies().find(({ controllers }) => controllers.includes("pids"))!;
  const cgroup = makeCgroup(stage, hierarchy, "others");
  const { pid, images } = await startDumped(stage, "objects", [], { cgroups: [cgroup] });
  const named = await refused(stage, {
    id: "untrusted-cgroup",
    images,
    pid,
    subject: cgroup,
    done: () => expect(readFileSync(join(cgroup, "cgroup.procs"), "utf8")).toContain(String(pid)),
    allow: ["--manage-cgroups=ignore"],
  });
  expect(named.remedy.command).toBe("--manage-cgroups=ignore");
});
