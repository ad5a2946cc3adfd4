import { startDumped } from "../stage/dumped.ts";
import { changed } from "../kernel.ts";
import { finding, report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { dump, killTree, openStage, restoreBare, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

const x64 = process.arch === "x64";

test.skipIf(x64)("cpu-features: on arm64 --cpu-cap compares nothing", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "kernel", ["threads"]);
  const options = ["--cpu-cap=ins"];
  expect(await report(stage, "preflight", images, options)).toMatchObject({
    exit: 0,
    findings: [],
  });
  expect((await restoreBare(stage, images, options)).exit).toBe(0);
});

test.skipIf(!x64)("cpu-features: --cpu-cap needs cpuinfo.img", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["threads"]);
  const options = ["--cpu-cap=ins"];
  await stageCheck({ id: "cpu-features", stage, images, options, among: true });
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "cpu-features", { options })).exit).toBe(0);
  await killTree(stage, pid);
  // With it the processor is the same one here.
  const { pid: again } = await start(stage, "kernel", ["threads"]);
  const saved = await dump(stage, again, ["--cpu-cap=ins"]);
  const preflight = await report(stage, "preflight", saved, ["--cpu-cap=ins"]);
  expect(preflight.findings.filter(({ id }) => id === "cpu-features")).toEqual([]);
  const better = changed(stage, saved, "better", "cpuinfo.img", ([{ x86_entry }]) => {
    x86_entry[0].capability[6] |= 1 << 21; // TBM, which only processors of 2012 have
  });
  const warned = await report(stage, "preflight", better, ["--cpu-cap=ins"]);
  expect(finding(warned, "cpu-features")).toMatchObject({
    severity: "warning",
    // A kernel may hide more than that.
    subject: expect.stringContaining("tbm"),
  });
  const bare = await restoreBare(stage, better, ["--cpu-cap=ins"]);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(warned, "cpu-features").criu_message!);
  await restored(stage, better);
});
