import { expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { typed } from "../typed.ts";

test("mount-autodetected: what the dump found by itself the restore has to be allowed", async () => {
  await using stage = openStage();
  const data = join(stage.dir, "data");
  mkdirSync(data);
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["shared", data, "/data"],
    ],
    options: ["--external", "mnt[]:sm"],
  });
  const named = await stageCheck({ id: "mount-autodetected", stage, images, options });
  expect(named.remedy.command).toBe("--external 'mnt[]'");
  const told = await report(stage, "preflight", images, options);
  const pidfile = join(stage.dir, "pid");
  const how = { options: [...options, "--pidfile", pidfile] };
  expect((await typed(stage, told, "mount-autodetected", how)).exit).toBe(0);
  await killTree(stage, Number(readFileSync(pidfile, "utf8")));
});
