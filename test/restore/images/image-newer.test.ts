import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { hasOldCriu, oldCriu } from "../shadow.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

test("image-newer: an open file of a kind to come", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const other = copyOf(stage, images, "other");
  edit(other, "files.img", (entries) => void (entries.at(-1).type = 21));
  const named = await stageCheck({ id: "image-newer", stage, images: other });
  expect(named.subject).toBe("file type 21");
  await restores(stage, images);
});

test.skipIf(!hasOldCriu)("image-newer: a pidfd, of which CRIU 3.17 knows nothing", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const other = copyOf(stage, images, "other");
  edit(other, "files.img", (entries) => void (entries.at(-1).type = 20));
  const old = ["--criu", oldCriu(stage)];
  const older = finding(await report(stage, "preflight", other, old), "image-newer");
  expect(older.message).toContain("a pidfd, which CRIU 3.17.1 does not know");
  const argv = ["restore", "-d", "-D", other, "-W", stage.dir, "-o", "log"];
  expect((await run(stage, [oldCriu(stage), ...argv])).exit).toBe(1);
  expect(readFileSync(join(stage.dir, "log"), "utf8")).toContain(older.criu_message!);
  await restores(stage, images);
});
