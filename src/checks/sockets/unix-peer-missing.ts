import { filesWith, type UnixSkEntry } from "../../image/index.ts";
import { UNIX_PATH_MAX } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { about, imageOf } from "./unix-entries.ts";
import { byIno } from "./unix-peers.ts";

export const unixPeerMissing: Check = {
  title: "CRIU will not find the other end of a Unix socket in the images",
  reads: "unix sockets in files.img, and their order",
  why:
    "CRIU looks for a socket's other end among the sockets before it in files.img; after it only when both are each other's. A datagram socket " +
    "that was made before the one it is connected to is therefore lost. So is one whose other end the dump left out " +
    "(--ext-unix-sk=INO, --external unix[INO]), and a name that is longer than names can be ends the restore, too.",
  proof: "criu",
  run({ checkpoint }) {
    const sockets = byIno(checkpoint);
    const before = new Set<number>();
    return filesWith(checkpoint, "usk").flatMap(({ usk }): Problem[] => {
      const { ino, peer, name } = usk;
      before.add(ino);
      if (name.length > UNIX_PATH_MAX)
        return [
          broken(usk, `its name has ${name.length} bytes`, `Bad unix name len ${name.length}`),
        ];
      if (usk.deleted && (name.length === 0 || name[0] === 0))
        return [
          broken(usk, "its file was deleted, and it has no path", `No name present, ino ${ino}`),
        ];
      if (peer === 0 || before.has(peer) || sockets.get(peer)?.peer === ino) return [];
      const what = `its other end, socket ${peer}, ${sockets.has(peer) ? "comes only after it in files.img" : "is not in the images"}`;
      return [broken(usk, what, `FATAL: Peer ${peer} unresolved for ${ino}`)];
    });
  },
};

const broken = (entry: UnixSkEntry, message: string, criu: string): Problem => ({
  ...about("blocker", imageOf(entry)),
  subject: `socket:[${entry.ino}]`,
  message,
  criu_message: `unix: ${criu}`,
  remedy: {
    kind: "human",
    text: message.includes("only after it")
      ? "put its entry after the other one's in a copy of files.img (crit decode, crit encode)"
      : "dump again, with both ends in the tree; these images cannot be restored",
  },
});
