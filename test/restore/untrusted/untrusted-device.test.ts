import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { openStage, run } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { editFile, holds } from "./untrusted.ts";
import { expect, test } from "bun:test";
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";

test("untrusted-device: another device of the name, and a deleted one with a number of the images'", async () => {
  await using stage = openStage();
  const [device, gone] = [join(stage.dir, "device"), join(stage.dir, "gone")];
  await run(stage, ["mknod", "-m", "0666", device, "c", "1", "3"]);
  const { pid, images } = await startDumped(stage, "objects", ["write", device]);
  rmSync(device);
  // /dev/kmsg
  await run(stage, ["mknod", "-m", "0666", device, "c", "1", "11"]);
  await refused(stage, {
    id: "untrusted-device",
    images,
    pid,
    subject: device,
    done: () => expect(holds(pid, device)).toBe(true),
  });

  const deleted = await startDumped(stage, "objects", ["write", gone, "unlink", gone]);
  chmodSync(stage.dir, 0o1777);
  editFile(deleted.images, gone, (reg) => {
    delete reg.size;
    reg.mode = 0o020666;
  });
  edit(deleted.images, "ghost-file-1.img", ([ghost]) =>
    Object.assign(ghost, { mode: 0o020666, rdev: 0x10b }),
  );
  await refused(stage, {
    id: "untrusted-device",
    also: "ghost-rights",
    images: deleted.images,
    pid: deleted.pid,
    subject: `${gone}.cr.1.ghost`,
    done: () => expect(holds(deleted.pid, gone)).toBe(true),
  });
});
