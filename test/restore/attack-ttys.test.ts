/** A terminal whose path is another's: bare CRIU gives that one the images' owner and mode. */
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { edit } from "./edit.ts";
import { descendants, dump, killTree, openStage, restoreBare, start } from "./stage.ts";
import { finding, report } from "./report.ts";
import { readdirSync, readlinkSync } from "node:fs";

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
