/** Checkpoints that are not whole. */
import { dumpOne, said } from "./images.ts";
import { report } from "./report.ts";
import { openStage, restoreBare } from "./stage.ts";
import { expect, test } from "bun:test";
import { cpSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

test("an image of another kind under the name", async () => {
  await using stage = openStage();
  const { pid, broken } = await dumpOne(stage);
  renameSync(join(broken, "pstree.img"), join(broken, "files.img"));
  cpSync(join(broken, `core-${pid}.img`), join(broken, "pstree.img"));
  const preflight = await report(stage, "preflight", broken);
  expect(preflight.exit).toBe(6);
  const bare = await restoreBare(stage, broken);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(
    preflight.findings.find((entry) => entry.subject === "pstree.img")!.criu_message!,
  );
});

test("the whole checkpoint is none of these", async () => {
  await using stage = openStage();
  const { images } = await dumpOne(stage);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});

test("a copy without its inventory is one line too, and says that the dump went well", async () => {
  await using stage = openStage();
  const { images, broken } = await dumpOne(stage);
  cpSync(
    join(stage.dir, basename(images).replace("images", "dump"), "dump.log"),
    join(broken, "dump.log"),
  );
  rmSync(join(broken, "inventory.img"));
  const { exit, line } = await said(stage, "restore", ["-D", broken]);
  expect(exit).toBe(6);
  expect(line).toContain("says that the dump succeeded, so the copy is not whole");
});
