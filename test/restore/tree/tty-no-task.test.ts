import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { dump, openStage, restoreBare, start } from "../stage.ts";
import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";

test("a terminal whose session has no leader in the tree", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "terminal", ["master"]);
  const images = await dump(stage, pid);
  const spoiled = join(stage.dir, "spoiled");
  cpSync(images, spoiled, { recursive: true });
  edit(spoiled, "tty-info.img", ([tty]) => (tty.sid = 4000000));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["tty-no-task"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "tty-no-task").criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
