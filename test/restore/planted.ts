/** What a user of the machine planted between the dump and the restore, on real CRIU. */
import { startDumped } from "./stage/dumped.ts";
import { edit } from "./edit.ts";
import { type Stage } from "./stage.ts";
import { chownSync, linkSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

export const ALICE = 1000;

/**
 * A tree with a socket in alice's home, which is dumped; the socket's directory is gone then. The images say that the socket
 * was `owner`'s, as CRIU's do of a server that runs under that user.
 */
export async function dumpInHome(stage: Stage, owner: number) {
  const home = join(stage.dir, "alice");
  const sockets = join(home, "run");
  mkdirSync(sockets, { recursive: true });
  for (const path of [home, sockets]) chownSync(path, ALICE, ALICE);
  mkdirSync(join(sockets, "app"));
  const { pid, images } = await startDumped(stage, "objects", [
    "listen",
    join(sockets, "app/sock"),
  ]);
  edit(images, "files.img", (files) => {
    for (const { usk } of files)
      if (usk !== undefined) Object.assign(usk.file_perms, { uid: owner, gid: owner });
  });
  rmSync(join(sockets, "app"), { recursive: true });
  const victim = join(stage.dir, "victim");
  mkdirSync(victim);
  return { pid, images, home, sockets, socket: join(sockets, "app/sock"), victim };
}

/** Sets up a name that CRIU will write in alice's work directory; the options that make it, and the words about it. */
export const files: Record<
  string,
  [name: string, setUp: (path: string, victim: string) => void, words: string]
> = {
  "log, a link": [
    "restore.log",
    (path, victim) => symlinkSync(victim, path),
    "a link of uid 1000 to",
  ],
  "log, another name of a file": [
    "restore.log",
    (path, victim) => linkSync(victim, path),
    "other names",
  ],
  "log, a FIFO": ["restore.log", (path) => void Bun.spawnSync(["mkfifo", path]), "no regular file"],
  "statistics, a link": ["stats-restore", (path, victim) => symlinkSync(victim, path), "a link of"],
};
