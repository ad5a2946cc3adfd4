import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("a pid namespace without its init, and pid 1 without its namespace", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const spoiled = copyOf(stage, images, "spoiled");
  edit(spoiled, "inventory.img", ([inventory]) => (inventory.root_ids.pid_ns_id += 100));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["pid-namespace-init"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-namespace-init").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
