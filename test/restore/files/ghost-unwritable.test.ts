import { startDumped } from "../stage/dumped.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage, run } from "../stage.ts";
import { test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

test("ghost-unwritable", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const file = join(dir, "deleted");
  const { pid, images } = await startDumped(stage, "objects", [
    "read",
    "/dev/null",
    "write",
    file,
    "unlink",
    file,
  ]);
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  const id = /ghost-file-([0-9a-f]+)/.exec(ghost!)![1];
  await stageCheck({
    id: "ghost-unwritable",
    stage,
    images,
    pid,
    subject: `${file}.cr.${id}.ghost`,
    mend: "typed",
  });
});
