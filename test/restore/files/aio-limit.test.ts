import { startDumped } from "../stage/dumped.ts";
import { changed, withSetting } from "../kernel.ts";
import { report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("aio-limit: too few events for all, and a ring of another machine", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["aio", "64"]);
  const used = Number(readFileSync("/proc/sys/fs/aio-nr", "utf8"));
  const named = await withSetting("fs/aio-max-nr", used, async () => {
    const told = await report(stage, "preflight", images);
    const found = await stageCheck({ id: "aio-limit", stage, images, among: true });
    expect((await typed(stage, told, "aio-limit")).exit).toBe(0);
    await restored(stage, images);
    await killTree(stage, pid);
    return found;
  });
  expect(named).toMatchObject({ task: pid, subject: "fs.aio-max-nr" });
  expect(named.remedy.command).toMatch(/^sysctl -w fs\.aio-max-nr=\d+$/);
  const many = changed(stage, images, "many", `mm-${pid}.img`, ([mm]) => (mm.aios[0].nr_req *= 16));
  expect(
    (await stageCheck({ id: "aio-limit", stage, images: many, among: true })).message,
  ).toContain("8192 bytes");
  await restored(stage, images);
});
