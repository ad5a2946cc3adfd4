import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { dump, openStage, ownProgram, start } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";

test("untrusted-setuid: a deleted file comes back with root's rights, a program has them", async () => {
  await using stage = openStage();
  chmodSync(stage.dir, 0o1777);
  const gone = join(stage.dir, "gone");
  const { pid, images } = await startDumped(stage, "objects", ["write", gone, "unlink", gone]);
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (reg?.name === gone) reg.mode = 0o104755;
  });
  edit(images, "ghost-file-1.img", ([ghost]) => (ghost.mode = 0o104755));
  await refused(stage, {
    id: "untrusted-setuid",
    also: "ghost-rights",
    images,
    pid,
    subject: `${gone}.cr.1.ghost`,
    done: () => expect(statSync(`/proc/${pid}/fd/3`).mode & 0o7777).toBe(0o4755),
  });
  const program = ownProgram(stage, "objects");
  chmodSync(program, 0o4755);
  const tree = await start(stage, "objects", [], { program });
  await refused(stage, {
    id: "untrusted-setuid",
    images: await dump(stage, tree.pid),
    pid: tree.pid,
    subject: program,
    done: () => expect(statSync(`/proc/${tree.pid}/exe`).mode & 0o4000).toBe(0o4000),
  });
});
