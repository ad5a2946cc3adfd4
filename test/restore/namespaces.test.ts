/** Namespaces of the tree, and the network in one of its own. */
import { startDumped } from "./stage/dumped.ts";
import { report } from "./report.ts";
import { openStage, restoreBare } from "./stage.ts";
import { expect, test } from "bun:test";

test("a tree with uts and ipc namespaces of its own has nothing against it", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "kernel", ["unshare", "c000000"]);
  expect(await report(stage, "preflight", images)).toMatchObject({ exit: 0, findings: [] });
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
