/** A terminal whose path is another's: bare CRIU gives that one the images' owner and mode. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { descendants, dump, killTree, openStage, restoreBare, run, start } from "./stage.ts";
import { finding, report } from "./report.ts";

/** The slave that a process has open. */
function slaveOf(pid: number): string {
  for (const at of [pid, ...descendants(pid).map((below) => below.pid)])
    for (const fd of readdirSync(`/proc/${at}/fd`)) {
      const target = readlinkSync(`/proc/${at}/fd/${fd}`);
      if (/^\/dev\/pts\/\d+$/.test(target)) return target;
    }
  throw new Error(`${pid} has no terminal`);
}

test("a pseudoterminal by another's path and number", async () => {
  await using stage = openStage();
  const other = await start(stage, "terminal", ["pair"]);
  const victim = slaveOf(other.pid);
  const { rdev, mode, uid } = statSync(victim);
  const { pid } = await start(stage, "terminal", ["pair"]);
  const own = slaveOf(pid);
  const images = await dump(stage, pid);
  edit(images, "files.img", (entries) => {
    const { reg } = entries.find((entry) => entry.reg?.name === own);
    Object.assign(reg, { name: victim, mode: 0o20666 });
  });
  edit(images, "tty-info.img", (ttys) => {
    for (const tty of ttys)
      if (tty.rdev >>> 8 === 136) Object.assign(tty, { rdev, uid: 65534, gid: 65534 });
  });
  const refused = await report(stage, "restore", images);
  expect([refused.exit, refused.run]).toEqual([6, null]);
  expect(finding(refused, "image-forged").subject).toBe("tty_info_entry.rdev");
  expect(statSync(victim)).toMatchObject({ mode, uid });
  await restoreBare(stage, images);
  expect(statSync(victim)).toMatchObject({ mode: 0o20666, uid: 65534 });
  await killTree(stage, pid);
});

test("the device that makes pseudoterminals, by its own path: nobody could make one any more", async () => {
  await using stage = openStage();
  const pts = join(stage.dir, "pts");
  mkdirSync(pts);
  const options = ["-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", pts];
  expect((await run(stage, ["mount", ...options])).exit).toBe(0);
  const ptmx = join(pts, "ptmx");
  const { pid } = await start(stage, "terminal", ["pair"]);
  const own = slaveOf(pid);
  const images = await dump(stage, pid);
  const forge = (mode: number, uid: number) => {
    edit(images, "files.img", (entries) => {
      for (const { reg } of entries) {
        if (reg?.name === own) reg.name = join(pts, "0");
        if (reg?.name.endsWith("ptmx")) Object.assign(reg, { name: ptmx, mode });
      }
    });
    edit(images, "tty-info.img", (ttys) => {
      for (const tty of ttys) {
        tty.pty.index = 0;
        if (tty.rdev >>> 8 === 136) tty.rdev = 136 << 8;
        else Object.assign(tty, { uid, gid: 0 });
      }
    });
  };
  forge(0o20666, 0);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  forge(0o20600, 65534);
  const refused = await report(stage, "restore", images);
  expect([refused.exit, refused.run]).toEqual([3, null]);
  expect(finding(refused, "tty-other-file").subject).toBe(ptmx);
  await restoreBare(stage, images);
  expect(statSync(ptmx)).toMatchObject({ mode: 0o20600, uid: 65534 });
  await killTree(stage, pid);
});
