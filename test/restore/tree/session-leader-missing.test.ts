import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("a session whose leader is nowhere above", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "job", ["family"]);
  const spoiled = copyOf(stage, images, "spoiled");
  edit(spoiled, "pstree.img", (entries) => {
    entries[2].sid = 4000000;
  });
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toContain("session-leader-missing");
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "session-leader-missing").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
