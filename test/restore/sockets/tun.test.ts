import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { changed } from "../namespaces.ts";
import { blockers, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";

test("an open TUN device, of which a dump writes two entries with one number", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "objects", ["tun", "rqtun0"], {
    dump: ["--network-lock=nftables"],
  });
  await restored(stage, images);
  await killTree(stage, pid);
  // Behind any other file it would be hidden.
  const twice = changed(stage, images, "twice", /^files/, (files) =>
    files.push(structuredClone(files.find(({ tunf }) => tunf !== undefined))),
  );
  expect(blockers(await report(stage, "preflight", twice))).toContain("image-forged");
});
