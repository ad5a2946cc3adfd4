/** Images that are links: what bare CRIU reads through them, and that --untrusted refuses it. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { blockers, finding, report } from "./report.ts";
import { killTree, openStage, restoreBare } from "./stage.ts";

test("pages that are a link: any file of root's becomes the tree's memory", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "objects", []);
  const pages = join(images, "pages-1.img");
  const secret = join(stage.dir, "secret");
  cpSync(pages, secret);
  rmSync(pages);
  symlinkSync(secret, pages);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(0);
  await killTree(stage, pid);

  const blocked = await report(stage, "restore", images, ["--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-read"]);
  expect(finding(blocked, "untrusted-read").subject).toBe(secret);
  const dedup = await report(stage, "preflight", images, ["--untrusted", "--auto-dedup"]);
  expect(blockers(dedup)).toContain("untrusted-write");

  // Within the directory a link is only another name.
  rmSync(pages);
  cpSync(secret, join(images, "kept"));
  symlinkSync("kept", pages);
  expect(blockers(await report(stage, "preflight", images, ["--untrusted"]))).toEqual([]);
});

test("the images that parent leads to are somebody else's", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "objects", []);
  const parent = join(stage.dir, "parent-images");
  mkdirSync(parent);
  writeFileSync(join(parent, "inventory.img"), readFileSync(join(images, "inventory.img")));
  symlinkSync("../parent-images", join(images, "parent"));
  expect(blockers(await report(stage, "preflight", images, ["--untrusted"]))).toEqual([]);
  chownSync(join(parent, "inventory.img"), 65534, 65534);
  const blocked = await report(stage, "preflight", images, ["--untrusted"]);
  expect(finding(blocked, "untrusted-images").subject).toBe(join(parent, "inventory.img"));
});
