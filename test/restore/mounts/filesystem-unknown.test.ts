import { copyOf } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage, restoreBare } from "../stage.ts";
import { dumpWithMounts } from "./mounts.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";

test("mount-device-missing, filesystem-unknown: as the images of other machines are", async () => {
  await using stage = openStage();
  const { images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  const mountpoints = readdirSync(images).find((file) => file.startsWith("mountpoints"))!;
  const changed = (name: string, change: (tmp: any) => void) => {
    const copy = copyOf(stage, images, name);
    edit(copy, mountpoints, (mounts) => change(mounts.find((m) => m.mountpoint.endsWith("/tmp"))));
    return copy;
  };
  const device = changed("device", (tmp) => {
    Object.assign(tmp, {
      fstype: 16,
      fsname: "ext4",
      root_dev: (8 << 20) | 1,
      source: "dev[disk]",
    });
    tmp.ext_key = "CRIU:EXTERNAL_DEV";
  });
  const lost = await stageCheck({
    id: "mount-device-missing",
    stage,
    images: device,
    options: all,
    among: true,
  });
  expect(lost.remedy.command).toBe("--external 'dev[disk]:DEVICE'");
  expect(lost.message).toContain("8:1");

  const strange = changed("strange", (tmp) =>
    Object.assign(tmp, { fstype: 16, fsname: "recriufs" }),
  );
  const preflight = await report(stage, "preflight", strange, all);
  const named = finding(preflight, "filesystem-unknown");
  expect(named.severity).toBe(existsSync("/proc/modules") ? "warning" : "blocker");
  const bare = await restoreBare(stage, strange, all);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);

  await restored(stage, images, { options: all });
});
