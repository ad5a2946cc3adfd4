/** Directories that were moved, with a link in their place: CRIU restores by the saved paths, which lead there. */
import { startDumped } from "./stage/dumped.ts";
import {
  copyFileSync,
  lchownSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { report } from "./report.ts";
import { killTree, openStage, recriu, restoreBare } from "./stage.ts";
import { compile } from "./stage/compile.ts";

test("the tree is the saved one where root has moved its directory, and is not where another user may have", async () => {
  await using stage = openStage();
  const [old, now] = [join(stage.dir, "old"), join(stage.dir, "now")];
  mkdirSync(old);
  const program = join(old, "objects");
  copyFileSync(compile("objects"), program);
  const words = ["read", program, "map", program];
  const { pid, images } = await startDumped(stage, "objects", words, { program, cwd: old });
  renameSync(old, now);
  symlinkSync(now, old);
  const bare = await restoreBare(stage, images);
  expect([bare.exit, readlinkSync(`/proc/${pid}/exe`)]).toEqual([0, join(now, "objects")]);
  await killTree(stage, pid);

  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match", differences: [] } });
  expect((await recriu(stage, ["verify", images])).exit).toBe(0);
  await killTree(stage, pid);

  lchownSync(old, 1000, 1000);
  const refused = await report(stage, "restore", images);
  expect(refused).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
  const facets = new Set(refused.verdict!.differences.map(({ facet }) => facet));
  expect([...facets].sort()).toEqual(["cwd", "descriptors", "executable", "mappings"]);
});
