import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("a terminal whose session has no leader in the tree", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "terminal", ["master"]);
  const spoiled = copyOf(stage, images, "spoiled");
  edit(spoiled, "tty-info.img", ([tty]) => (tty.sid = 4000000));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["tty-no-task"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "tty-no-task").criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
