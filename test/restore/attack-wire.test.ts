/** Images that could be read in two ways: recriu's is CRIU's, or it refuses them. Bare CRIU removes a file each time. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { image } from "../image/fixture.ts";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { killTree, openStage, restoreBare, type Stage } from "./stage.ts";

const nobody = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
/** The forged stand-in of the deleted file. */
const ID = 0x7f;

/** A dump with a deleted file whose stand-in is somebody else's file, but for remap-fpath.img, which does not say so yet. */
async function stageLink() {
  const stage = openStage();
  const victim = join(stage.dir, "victim");
  const file = join(stage.dir, "file");
  writeFileSync(file, "content");
  writeFileSync(victim, "precious", { mode: 0o600 });
  const { pid, images } = await startDumped(stage, "objects", ["write", file, "unlink", file]);
  let deleted = 0;
  edit(images, "files.img", (entries) => {
    const { reg } = entries.find((entry) => entry.reg?.name === file);
    deleted = reg.id;
    delete reg.size;
    delete reg.mode;
    const linked = { id: ID, flags: 0, pos: 0n, fown: nobody, name: victim, build_id: [] };
    entries.push({ type: 1, id: ID, reg: linked });
  });
  return { stage, victim, pid, images, deleted };
}

/** recriu refuses the images and touches nothing; then bare CRIU removes the victim. */
async function refused(stage: Stage, images: string, pid: number, victim: string) {
  const restore = await report(stage, "restore", images);
  expect([restore.exit, restore.run, existsSync(victim)]).toEqual([6, null, true]);
  await restoreBare(stage, images);
  await killTree(stage, pid);
  expect(existsSync(victim)).toBe(false);
  return restore;
}

const word = (value: number) => Buffer.from(Uint32Array.of(value).buffer);

test("a field number of more than 29 bits is that of another field to whoever cuts it", async () => {
  const { stage, victim, pid, images, deleted } = await stageLink();
  await using _ = stage;
  // orig_id and remap_id; then field 3 + 2^29, of which the lower 32 bits say remap_type: GHOST.
  const message = Buffer.from([0x08, deleted, 0x10, ID, 0x98, 0x80, 0x80, 0x80, 0x10, 0x01]);
  const remaps = join(images, "remap-fpath.img");
  const magics = readFileSync(remaps).subarray(0, 8);
  writeFileSync(remaps, Buffer.concat([magics, word(message.length), message]));
  const ghost = `ghost-file-${ID.toString(16)}.img`;
  writeFileSync(join(images, ghost), image(ghost, [{ uid: 0, gid: 0, mode: 0o100600 }]));
  const { findings } = await refused(stage, images, pid, victim);
  expect(findings.map(({ message: text }) => text)).toContain(
    "remap-fpath.img: a number of 32 bits has more",
  );
});

test("of two kinds of file in one entry CRIU takes the one of its type", async () => {
  const { stage, victim, pid, images } = await stageLink();
  await using _ = stage;
  const untrusted = ["--untrusted"];
  rmSync(join(images, "remap-fpath.img"));
  edit(images, "files.img", (entries) => {
    const open = entries.find(({ reg }) => reg?.name.endsWith("/file"));
    open.reg.name = victim;
    // A FIFO has its path from regf_id: an entry that nothing is known of.
    open.fifo = { id: open.id, pipe_id: 1, regf_id: ID };
    entries.find(({ id }) => id === ID).reg.name = "/dev/null";
  });
  const { exit, findings } = await report(stage, "restore", images, untrusted);
  expect(exit).toBe(6);
  expect(findings.map(({ subject }) => subject)).toContain("file_entry.type");
  await restoreBare(stage, images);
  expect(readlinkSync(`/proc/${pid}/fd/3`)).toBe(victim);
  await killTree(stage, pid);
});

test("without an entry in files.img CRIU crashes, halfway through images of another form", async () => {
  const { stage, victim, images } = await stageLink();
  await using _ = stage;
  const regs: object[] = [];
  edit(images, "files.img", (entries) => {
    for (const { reg } of entries) if (reg !== undefined) regs.push(reg);
  });
  writeFileSync(join(images, "reg-files.img"), image("reg-files.img", regs));
  writeFileSync(join(images, "files.img"), image("files.img", []));
  const { exit, findings } = await report(stage, "restore", images);
  expect(exit).toBe(6);
  expect(findings.map(({ message }) => message)).toContain("files.img: it has no entry");
  const bare = await restoreBare(stage, images);
  expect([bare.exit, bare.errors.join("\n")]).toEqual([
    1,
    expect.stringContaining("killed by signal 11"),
  ]);
  expect(existsSync(victim)).toBe(true);
});
