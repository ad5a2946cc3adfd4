import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";

test("untrusted-images: others could exchange them meanwhile", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "objects", []);
  chownSync(images, 65534, 65534);
  const blocked = await report(stage, "restore", images, ["--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-images"]);
  expect(finding(blocked, "untrusted-images")).toMatchObject({ subject: images });
  chownSync(images, 0, 0);
  chmodSync(join(images, "files.img"), 0o666);
  const open = await report(stage, "preflight", images, ["--untrusted"]);
  expect(finding(open, "untrusted-images").subject).toBe(join(images, "files.img"));
  chmodSync(join(images, "files.img"), 0o644);
  const done = await report(stage, "restore", images, ["--untrusted"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  // That it runs as root no look can change: it is said.
  expect(finding(done, "untrusted-root")).toMatchObject({ severity: "warning", task: pid });
  await killTree(stage, pid);
});
