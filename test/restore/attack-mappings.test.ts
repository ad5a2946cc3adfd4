/** Mappings whose status, which CRIU goes by, is not what their flags, which the kernel goes by, say. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { finding, report } from "./report.ts";
import { killTree, openStage, restoreBare } from "./stage.ts";

const PRIVATE_FILE = 0x41;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;

test("a private mapping that is shared: CRIU writes the images' pages into any file", async () => {
  await using stage = openStage();
  const victim = join(stage.dir, "victim");
  const open = join(stage.dir, "open");
  const precious = "precious\n".repeat(20_000);
  writeFileSync(victim, precious);
  writeFileSync(open, "content");
  const { pid, images } = await startDumped(stage, "objects", ["read", open]);
  let id = 0;
  edit(images, "files.img", (entries) => {
    const { reg } = entries.find((entry) => entry.reg?.name === open);
    id = reg.id;
    reg.name = victim;
    reg.size = BigInt(precious.length);
  });
  edit(images, `mm-${pid}.img`, ([mm]) => {
    const data = mm.vmas.find(
      ({ status, prot, flags }: any) =>
        status === PRIVATE_FILE && prot === 3 && (flags & MAP_PRIVATE) !== 0,
    );
    const flags = (data.flags & ~MAP_PRIVATE) | MAP_SHARED;
    Object.assign(data, { shmid: BigInt(id), pgoff: 0n, fdflags: 2, flags });
  });
  const harmed = () => readFileSync(victim, "latin1") !== precious;
  const preflight = await report(stage, "preflight", images);
  expect([preflight.exit, finding(preflight, "image-forged").subject]).toEqual([
    6,
    "vma_entry.status",
  ]);
  const restore = await report(stage, "restore", images);
  expect([restore.exit, restore.run, harmed()]).toEqual([6, null, false]);
  // What the kernel makes of it is what --effects shows.
  const effects = await report(stage, "preflight", images, ["--effects"]);
  expect(effects.effects!.find((one) => one.path === victim && one.verb === "write")).toBeDefined();
  await restoreBare(stage, images);
  await killTree(stage, pid);
  expect(harmed()).toBe(true);
});
