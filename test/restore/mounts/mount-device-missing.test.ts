import { blockers, report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { descendants, killTree, openStage, restoreBare, run } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("mount-device-missing: a bind of an external device has it by the mount that was named", async () => {
  await using stage = openStage();
  const disk = join(stage.dir, "disk.img");
  const sh = (command: string) => run(stage, ["sh", "-ec", command]);
  await sh(`truncate -s 20M ${disk} && mkfs.ext4 -qF ${disk} && mkdir ${disk}.d`);
  await sh(`mount -o loop ${disk} ${disk}.d && mkdir ${disk}.d/a ${disk}.d/b && umount ${disk}.d`);
  const device = (await sh(`losetup --find --show ${disk}`)).stdout.trim();
  try {
    const number = (await sh(`lsblk -no MAJ:MIN ${device}`)).stdout.trim().replace(":", "/");
    const root = join(stage.dir, "root");
    const { images, options } = await dumpContainer(stage, {
      mounts: [
        ["ext4", device, "/disk"],
        ["bind", join(root, "disk/a"), "/disk/b"],
        ["ext4", device, "/again"],
      ],
      options: ["--external", `dev[${number}]:loop`],
    });
    const named = ["--external", `dev[loop]:${device}`];
    const lost = await stageCheck({
      id: "mount-device-missing",
      stage,
      images,
      options,
      among: true,
    });
    expect(lost.remedy.command).toBe("--external 'dev[loop]:DEVICE'");
    expect(blockers(await report(stage, "preflight", images, options))).toEqual([lost.id]);
    expect((await restoreBare(stage, images, [...options, ...named])).exit).toBe(0);
    const [app] = descendants(stage.supervisor.pid);
    await killTree(stage, app!.pid);
    await restored(stage, images, { options: [...options, ...named] });
    await killTree(stage, descendants(stage.supervisor.pid)[0]!.pid);
  } finally {
    await sh(`losetup -d ${device}`);
  }
});
