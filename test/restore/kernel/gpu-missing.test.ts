import { startDumped } from "../stage/dumped.ts";
import { changed } from "../kernel.ts";
import { finding, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { expect, test } from "bun:test";

test("gpu-missing: with no directory of plugins CRIU restores without a word", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["threads"]);
  const cuda = changed(stage, images, "cuda", "inventory.img", ([inventory]) => {
    inventory.plugins_entry = { plugins: ["cuda_plugin"] };
  });
  const silent = await report(stage, "preflight", cuda);
  expect(finding(silent, "gpu-missing").severity).toBe("warning");
  await restored(stage, cuda);
  await killTree(stage, pid);
});
