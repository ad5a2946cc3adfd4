import { startDumped } from "../stage/dumped.ts";
import { changed } from "../namespaces.ts";
import { blockers, report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";

test("namespace-file: an open namespace that nobody of the tree lives in", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["open", "/proc/self/ns/uts"]);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  const stray = changed(stage, images, "stray", /^files/, (files) => {
    for (const { nsf } of files) if (nsf) nsf.ns_id = 99;
  });
  const named = await stageCheck({ id: "namespace-file", stage, images: stray, among: true });
  expect(named.task).toBe(pid);
  expect(await restored(stage, images)).toBe(pid);
});
