import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("tty-other-file: CRIU gives whatever stands at a terminal's path the mode of the images", async () => {
  await using stage = openStage();
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "", { mode: 0o600 });
  const { images } = await startDumped(stage, "terminal", ["pair"]);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  edit(images, "files.img", (files) => {
    for (const { reg } of files)
      if (reg?.name.startsWith("/dev/pts/")) Object.assign(reg, { name: victim, mode: 0o20666 });
  });
  const blocked = await report(stage, "restore", images);
  expect([blocked.exit, blocked.run, [...new Set(blockers(blocked))]]).toEqual([
    3,
    null,
    ["tty-other-file"],
  ]);
  expect(finding(blocked, "tty-other-file").subject).toBe(victim);
  expect((await typed(stage, blocked, "tty-other-file")).stdout).toContain(victim);
  expect(statSync(victim).mode & 0o777).toBe(0o600);
  // CRIU fails at it, with the harm done.
  expect((await restoreBare(stage, images)).exit).toBe(1);
  expect(statSync(victim).mode & 0o777).toBe(0o666);
});
