import { isBefore43 } from "../criu.ts";
import { dumpIn, v2 } from "../cgroup-rules.ts";
import { finding, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, makeCgroup, openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

test("cgroup-namespace: not made again with --manage-cgroups=ignore before CRIU 4.3", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpIn(stage, makeCgroup(stage, v2, "workload"), [
    "unshare",
    "2000000",
  ]);
  expect(await report(stage, "preflight", images)).toMatchObject({ exit: 0, findings: [] });
  const namespace = () => Bun.spawnSync(["readlink", `/proc/${pid}/ns/cgroup`]).stdout.toString();
  const ours = Bun.spawnSync(["readlink", "/proc/self/ns/cgroup"]).stdout.toString();
  await restored(stage, images);
  expect(namespace()).not.toBe(ours);
  await killTree(stage, pid);
  const lost = await report(stage, "preflight", images, ["--manage-cgroups=ignore"]);
  const options = ["--manage-cgroups=ignore"];
  expect((await restoreBare(stage, images, options)).exit).toBe(0);
  // From 4.3 on it is made, too.
  if (!isBefore43) {
    expect([lost.findings, namespace()]).toEqual([[], expect.not.stringContaining(ours)]);
    return;
  }
  expect(finding(lost, "cgroup-namespace").severity).toBe("warning");
  expect(namespace()).toBe(ours);
  await killTree(stage, pid);
  expect((await typed(stage, lost, "cgroup-namespace", { options })).exit).toBe(0);
  expect(namespace()).not.toBe(ours);
});
