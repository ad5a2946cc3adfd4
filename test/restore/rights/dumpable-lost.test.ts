import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("dumpable-lost: what only a sysctl gives", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  expect(readFileSync("/proc/sys/fs/suid_dumpable", "utf8").trim()).not.toBe("2");
  edit(images, `mm-${pid}.img`, ([mm]) => (mm.dumpable = 2));
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "dumpable-lost")).toMatchObject({ severity: "warning", task: pid });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(0);
  expect(bare.log).toContain(finding(preflight, "dumpable-lost").criu_message!);
  await killTree(stage, pid);
  using _ = setting("fs/suid_dumpable", Number(readFileSync("/proc/sys/fs/suid_dumpable", "utf8")));
  expect((await typed(stage, preflight, "dumpable-lost")).exit).toBe(0);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
