/** Every image of real dumps: read, written again, cut short. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { roundTrip, truncations } from "../image/dumps.ts";
import { dump, openStage, type Stage, start } from "./stage.ts";

const workloads: Record<string, (stage: Stage) => string[]> = {
  "x11-server": (stage) => [join(stage.dir, "sockets"), join(stage.dir, "progress")],
  sched: () => ["fifo", "99", "-5", "reset"],
  tree: (stage) => {
    mkdirSync(join(stage.dir, "work"));
    writeFileSync(join(stage.dir, "data"), "data");
    return [join(stage.dir, "work"), join(stage.dir, "data"), join(stage.dir, "log"), "3"];
  },
};

for (const [workload, args] of Object.entries(workloads)) {
  test(`${workload}: every image is written as it was read`, async () => {
    await using stage = openStage();
    const { pid } = await start(stage, workload, args(stage));
    const { images, differing } = roundTrip(await dump(stage, pid));
    expect(images).toBeGreaterThan(10);
    expect(differing).toEqual([]);
  });
}

test("an image cut at any byte is named, and nothing crashes", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "x11-server", workloads["x11-server"]!(stage));
  rmSync(join(images, "pages-1.img"));
  writeFileSync(join(images, "pages-1.img"), "");
  const { cuts, unnamed } = truncations(images, join(stage.dir, "copy"));
  expect(cuts).toBeGreaterThan(1000);
  expect(unnamed).toEqual([]);
});
