import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { SIGWINCH } from "./deaths.ts";
import { expect, test } from "bun:test";

test("a signal at the parent's death that no kernel has", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "relations", ["pdeath", `${SIGWINCH}`]);
  const spoiled = copyOf(stage, images, "spoiled");
  edit(spoiled, `core-${pid}.img`, ([core]) => (core.thread_core.pdeath_sig = 65));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["pdeath-signal-invalid"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pdeath-signal-invalid").criu_message!);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
