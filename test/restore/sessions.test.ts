/** Trees that are jobs of a shell, and pstree.img that makes no sense. */
import { startDumped } from "./stage/dumped.ts";
import { report } from "./report.ts";
import { dumpJob } from "./sessions.ts";
import { openStage, restoreBare } from "./stage.ts";
import { expect, test } from "bun:test";

test("a job in its shell's group joins CRIU's, whatever the number of the old one", async () => {
  await using stage = openStage();
  const { images } = await dumpJob(stage, "in-group");
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, plan: { options: ["--shell-job"] } });
});

test("a tree that leads its session needs nothing of it", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "job", ["family"]);
  const ids = (await report(stage, "preflight", images)).findings.map(({ id }) => id);
  expect(ids).toEqual([]);
});
