import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { openStage, run } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { expect, test } from "bun:test";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("untrusted-delete: the name to be removed is another's", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  writeFileSync(at("file"), "");
  await run(stage, ["ln", at("file"), at("other")]);
  const { pid, images } = await startDumped(
    stage,
    "objects",
    ["read", at("file"), "unlink", at("file")],
    { dump: ["--link-remap"] },
  );
  writeFileSync(at("victim"), "", { mode: 0o644 });
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (/link_remap/.test(reg?.name)) reg.name = at("victim");
  });
  // The file's own name stands free in a directory where anybody may make one.
  chmodSync(stage.dir, 0o1777);
  await refused(stage, {
    id: "untrusted-delete",
    also: "image-forged",
    images,
    pid,
    subject: at("victim"),
    done: () => expect(statSync(at("victim"), { throwIfNoEntry: false })).toBeUndefined(),
    again: () => writeFileSync(at("victim"), "", { mode: 0o644 }),
  });
});
