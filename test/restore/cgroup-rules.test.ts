/** What cgroups must allow for a tree to come back in them. */
import { removeCgroup } from "./stage/cgroups.ts";
import { dumpIn, v2 } from "./cgroup-rules.ts";
import { finding, report } from "./report.ts";
import { restored, stageCheck } from "./stage-check.ts";
import { criu, killTree, makeCgroup, openStage, recriuBinary, restoreBare, run } from "./stage.ts";
import { bareUnder, reportUnder } from "./under.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

test("a hierarchy that only this mount of it makes read-only is no obstacle: CRIU mounts it for itself", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  const readOnly = `mount -o remount,bind,ro ${v2.mount} && exec "$@"`;
  const under = ["unshare", "-m", "sh", "-c", readOnly, "sh"];
  const back = () => readFileSync(`/proc/${pid}/cgroup`, "utf8");
  for (const restore of [
    () => bareUnder(stage, under, images),
    () => reportUnder(stage, under, "restore", images),
  ]) {
    removeCgroup(cgroup);
    const done = await restore();
    expect(done.exit).toBe(0);
    if ("plan" in done) expect(done.plan.options).toEqual([]);
    expect(back()).toContain(cgroup.slice(v2.mount.length));
    await killTree(stage, pid);
  }
});

test("a relative --cgroup-yard is found from the work directory, and looked through to its end", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "above/workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  const yard = join(stage.dir, "yard");
  const work = join(stage.dir, "far/work");
  const link = join(stage.dir, "link");
  mkdirSync(join(yard, "unified"), { recursive: true });
  mkdirSync(work, { recursive: true });
  symlinkSync(work, link);
  await run(stage, ["mount", "-t", "cgroup2", "none", join(yard, "unified")]);
  for (const options of [
    ["-W", work, "--cgroup-yard", "../../yard"],
    ["-W", link, "--cgroup-yard", ".././../yard"],
  ]) {
    removeCgroup(cgroup);
    removeCgroup(join(cgroup, ".."));
    const preflight = await report(stage, "preflight", images, options);
    expect(preflight.exit).toBe(0);
    expect(finding(preflight, "cgroup-missing")).toMatchObject({
      severity: "info",
      subject: join(yard, "unified", cgroup.slice(v2.mount.length)),
    });
    expect((await restoreBare(stage, images, options)).exit).toBe(0);
    await killTree(stage, pid);
    await restored(stage, images, { options });
    await killTree(stage, pid);
  }
  const nowhere = ["--cgroup-yard", "../../../../../../../nowhere/x"];
  expect(
    (await stageCheck({ id: "cgroup-option", stage, images, options: nowhere, among: true }))
      .subject,
  ).toBe("/nowhere/x");
  // Under the name of criu, too.
  const done = await run(
    stage,
    [
      "bash",
      "-c",
      'exec -a criu "$0" "$@"',
      recriuBinary,
      "restore",
      "-d",
      "-D",
      images,
      "-W",
      work,
      "--cgroup-yard",
      "../../yard",
    ],
    { env: { RECRIU_CRIU: criu } },
  );
  expect(done.exit).toBe(0);
  await killTree(stage, pid);
});
