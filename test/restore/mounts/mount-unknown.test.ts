import { copyOf } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect, test } from "bun:test";

test("mount-unknown: CRIU stops at a socket and crashes at a file of no known mount", async () => {
  await using stage = openStage();
  const { images, socket, options } = await dumpContainer(stage);
  const copy = (name: string) => {
    const dir = copyOf(stage, images, name);
    return dir;
  };
  const lostSocket = copy("lost-socket");
  edit(lostSocket, "files.img", (files) => {
    for (const { usk } of files) if (usk?.name.length > 0) usk.mnt_id = 99_999;
  });
  const named = await stageCheck({
    id: "mount-unknown",
    stage,
    images: lostSocket,
    options,
    among: true,
  });
  expect(named).toMatchObject({ subject: socket, severity: "blocker" });

  const lostFile = copy("lost-file");
  edit(lostFile, "files.img", (files) => {
    for (const { reg } of files) if (reg !== undefined) reg.mnt_id = 99_999;
  });
  await stageCheck({ id: "mount-unknown", stage, images: lostFile, options, among: true });
  await restored(stage, images, { options });
});
