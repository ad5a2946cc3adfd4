import { edit } from "../edit.ts";
import { regOf, stageFile } from "../forged.ts";
import { finding, report } from "../report.ts";
import { killTree } from "../stage.ts";
import { expect, test } from "bun:test";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";

test("as criu and with --ignore", async () => {
  const { stage, path, pid, images } = await stageFile((file) => ["write", file]);
  await using _ = stage;
  const copy = join(stage.dir, "copy");
  mkdirSync(copy);
  cpSync(images, copy, { recursive: true });
  edit(copy, "files.img", (entries) => (regOf(entries, path).flags |= 0o400));
  const refusal = await report(stage, "restore", copy);
  expect([refusal.exit, refusal.run]).toEqual([6, null]);
  // O_NOCTTY alone does no harm to a file: it can be seen that the user's word counts.
  const ignored = await report(stage, "restore", copy, ["--ignore=image-forged"]);
  expect(ignored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(finding(ignored, "image-forged").severity).toBe("warning");
  await killTree(stage, pid);
});
