/** Files and directories that are not what they were. */
import { dumpTree } from "./files.ts";
import { report } from "./report.ts";
import { openStage } from "./stage.ts";
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";

test("a tree with threads, groups, a zombie and files restores and is verified", async () => {
  await using stage = openStage();
  const { images } = await dumpTree(stage);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    findings: [],
    verdict: { result: "match", differences: [] },
  });
});

test("--skip-file-rwx-check makes another mode no obstacle, as in CRIU", async () => {
  await using stage = openStage();
  const { images, cwd } = await dumpTree(stage);
  chmodSync(cwd, 0o700);
  expect((await report(stage, "restore", images, ["--skip-file-rwx-check"])).exit).toBe(0);
});
