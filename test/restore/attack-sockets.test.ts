/** Names of Unix sockets that lead elsewhere than they look: bare CRIU removes what is there, recriu names it. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { finding, report } from "./report.ts";
import { killTree, openStage, restoreBare, type Stage } from "./stage.ts";

/** A dump of a tree with a socket, whose entry is changed. */
async function stageSocket(change: (stage: Stage, usk: any) => void) {
  const stage = openStage();
  const { pid, images } = await startDumped(stage, "objects", [
    "listen",
    join(stage.dir, "socket"),
  ]);
  edit(images, "files.img", (entries) =>
    change(stage, entries.find(({ usk }) => usk !== undefined).usk),
  );
  return { stage, pid, images };
}

test("a directory above a link: the socket of a live server", async () => {
  let victim = "";
  const { stage, pid, images } = await stageSocket(({ dir }, usk) => {
    mkdirSync(join(dir, "deep/real"), { recursive: true });
    symlinkSync("deep/real", join(dir, "link"));
    victim = join(dir, "deep/victim");
    Object.assign(usk, { name: Buffer.from("../victim\0"), name_dir: join(dir, "link") });
  });
  await using _ = stage;
  const server = Bun.listen({ unix: victim, socket: { data() {} } });
  const { ino } = lstatSync(victim);
  const refused = await report(stage, "restore", images);
  expect([refused.exit, refused.run, lstatSync(victim).ino]).toEqual([3, null, ino]);
  expect(finding(refused, "unix-socket-busy").severity).toBe("blocker");
  await restoreBare(stage, images);
  expect(lstatSync(victim).ino).not.toBe(ino);
  await killTree(stage, pid);
  server.stop();
});

test("a relative name without its directory: the socket in CRIU's working directory", async () => {
  const { stage, pid, images } = await stageSocket((_, usk) => {
    usk.name = Buffer.from("../victim\0");
  });
  await using _ = stage;
  const victim = join(stage.dir, "victim");
  const server = Bun.listen({ unix: victim, socket: { data() {} } });
  const { ino } = lstatSync(victim);
  const refused = await report(stage, "restore", images);
  expect([refused.exit, refused.run, lstatSync(victim).ino]).toEqual([6, null, ino]);
  expect(finding(refused, "image-forged").subject).toBe("unix_sk_entry.name");
  await restoreBare(stage, images);
  expect(lstatSync(victim).ino).not.toBe(ino);
  await killTree(stage, pid);
  server.stop();
});

test("a link that leads nowhere", async () => {
  const { stage, pid, images } = await stageSocket(() => {});
  await using _ = stage;
  const link = join(stage.dir, "socket");
  rmSync(link);
  symlinkSync("127.0.0.1:+4711", link);
  const refused = await report(stage, "restore", images);
  expect([refused.exit, refused.run, lstatSync(link).isSymbolicLink()]).toEqual([3, null, true]);
  expect(finding(refused, "unix-socket-busy").subject).toBe(link);
  await restoreBare(stage, images);
  expect(lstatSync(link).isSymbolicLink()).toBe(false);
  await killTree(stage, pid);
});

test("a link of /proc on the way: the socket of a live server", async () => {
  let victim = "";
  const { stage, pid, images } = await stageSocket(({ dir }, usk) => {
    victim = join(dir, "victim");
    usk.name = Buffer.from(`/proc/self/root${victim}\0`);
  });
  await using _ = stage;
  const server = Bun.listen({ unix: victim, socket: { data() {} } });
  const { ino } = lstatSync(victim);
  const refused = await report(stage, "restore", images);
  expect([refused.exit, refused.run, lstatSync(victim).ino]).toEqual([3, null, ino]);
  expect(finding(refused, "unix-socket-busy").message).toContain("cannot be told beforehand");
  await restoreBare(stage, images);
  expect(lstatSync(victim).ino).not.toBe(ino);
  await killTree(stage, pid);
  server.stop();
});
