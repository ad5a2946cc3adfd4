import { startDumped } from "../stage/dumped.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("file-build-id: a mapped library of the same size is another build", async () => {
  await using stage = openStage();
  const library = join(stage.dir, "library");
  copyFileSync("/bin/true", library);
  const { pid, images } = await startDumped(stage, "objects", ["map", library]);
  const bytes = readFileSync(library);
  const note = bytes.indexOf(Buffer.from("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", "latin1"));
  bytes[note + 16]! ^= 0xff;
  writeFileSync(library, bytes);
  const named = await stageCheck({
    id: "file-build-id",
    stage,
    images,
    pid,
    subject: library,
    mend: "typed",
  });
  expect(named.remedy.command).toBe("--file-validation=filesize");
});
