import { removeCgroup } from "../stage/cgroups.ts";
import { is317, isBefore41 } from "../criu.ts";
import { changed, dumpIn, v2 } from "../cgroup-rules.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import {
  descendants,
  dump,
  killTree,
  makeCgroup,
  openStage,
  restoreBare,
  start,
} from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
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

test("cgroup-missing: one whose name begins with that of another beside it", async () => {
  await using stage = openStage();
  const [job, other] = [makeCgroup(stage, v2, "job"), makeCgroup(stage, v2, "job-1")];
  const { pid } = await start(stage, "tree", ["/", "/etc/hostname", `${stage.dir}/log`, "1"], {
    cgroups: [job],
  });
  const leaf = descendants(pid).find(({ state }) => state !== "Z")!;
  writeFileSync(join(other, "cgroup.procs"), `${leaf.pid}`);
  const images = await dump(stage, pid);
  await killTree(stage, pid);
  for (const each of [job, other]) removeCgroup(each);
  if (!isBefore41) return void (await restored(stage, images));
  // CRIU 4.1 was the first to tell the one from a child of the other.
  const preflight = await report(stage, "preflight", images);
  const named = preflight.findings.find(({ subject }) => subject === other)!;
  expect(named).toMatchObject({ id: "cgroup-missing", severity: "blocker" });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);
  expect((await typed(stage, preflight, "cgroup-missing", { subject: other })).exit).toBe(0);
});

// From 3.18 on CRIU reads what any CRIU has saved.
test.skipIf(!is317)(
  "cgroup-missing: sets of threads, which CRIU 3.17 does not look for",
  async () => {
    await using stage = openStage();
    const cgroup = makeCgroup(stage, v2, "workload");
    const { pid, images } = await dumpIn(stage, cgroup);
    edit(images, `core-${pid}.img`, ([core]) => {
      core.thread_core.cg_set = core.tc.cg_set;
      delete core.tc.cg_set;
    });
    const preflight = await report(stage, "preflight", images);
    expect(finding(preflight, "cgroup-missing")).toMatchObject({
      severity: "warning",
      criu_message: null,
    });
    expect((await restoreBare(stage, images)).exit).toBe(0);
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).not.toContain("workload");
  },
);
