import { isBefore43, losesPriorities } from "../criu.ts";
import { copyOf, startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

test("memory-short: one mapping larger than all memory", async () => {
  await using stage = openStage();
  const overcommit = "vm/overcommit_memory";
  const { images } = await (async () => {
    using _ = setting(overcommit, 1);
    return await startDumped(stage, "memory", ["large"]);
  })();
  {
    using _ = setting(overcommit, 0);
    await stageCheck({ id: "memory-short", stage, images });
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "memory-short")).exit).toBe(0);
    await restores(stage, images);
  }
});

test("memory-short: addresses that are only reserved, where CRIU makes them writable first", async () => {
  await using stage = openStage();
  using _ = setting("vm/overcommit_memory", 0);
  const alone = await startDumped(stage, "memory", ["reserved"]);
  // Before 4.0 CRIU makes this one writable, too: another mapping's content is right behind it.
  if (losesPriorities) await stageCheck({ id: "memory-short", stage, images: alone.images });
  else {
    await restores(stage, alone.images);
    await killTree(stage, alone.pid);
  }
  // No memory is tracked here for a real parent; an empty one does the same.
  const child = copyOf(stage, alone.images, "incremental");
  const pagemap = `pagemap-${alone.pid}.img`;
  mkdirSync(join(stage.dir, "before"));
  for (const file of ["inventory.img", pagemap, "pages-1.img"])
    cpSync(join(alone.images, file), join(stage.dir, "before", file));
  symlinkSync("../before", join(child, "parent"));
  // From 4.3 on CRIU leaves reservations as they are.
  if (!isBefore43) return await restores(stage, child);
  await stageCheck({ id: "memory-short", stage, images: child });

  const { pid, images } = await startDumped(stage, "memory", ["inherited"]);
  const named = await stageCheck({ id: "memory-short", stage, images });
  expect(named).toMatchObject({
    task: pid,
    criu_message: "Unable to map ANON_VMA: Cannot allocate memory",
  });
  // As typed: the setting is put back with the one above.
  expect(named.remedy.command).toBe("sysctl -w vm.overcommit_memory=1");
  using __ = setting("vm/overcommit_memory", 1);
  await restores(stage, images);
});
