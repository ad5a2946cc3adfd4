import { startDumped } from "../stage/dumped.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage, run } from "../stage.ts";
import { test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

test("file-unwritable: the file system is read-only now", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const file = join(dir, "data");
  const { pid, images } = await startDumped(stage, "objects", ["write", file]);
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  await stageCheck({ id: "file-unwritable", stage, images, pid, subject: file, mend: "typed" });
});
