/** The other ends of Unix sockets: outside the tree, gone, or not able to take what waits in a queue (sk-unix.c, sk-queue.c). */
import { USK_EXTERN } from "../../image/flags.ts";
import { filesWith, type Checkpoint, type UnixSkEntry } from "../../image/index.ts";
import type { Context } from "../finding.ts";
import { nameOf, USK_CALLBACK } from "./unix-entries.ts";

export const byIno = (checkpoint: Checkpoint): Map<number, UnixSkEntry> =>
  new Map(filesWith(checkpoint, "usk").map(({ usk }) => [usk.ino, usk]));

export interface Connected {
  entry: UnixSkEntry;
  peer: UnixSkEntry;
}

/** Sockets that CRIU will connect to somebody outside the tree. */
export function outward({ checkpoint, request }: Context): Connected[] {
  const sockets = byIno(checkpoint);
  const handed = new Set(request.inheritFds.map(({ key }) => key));
  return [...sockets.values()].flatMap((entry): Connected[] => {
    const peer = entry.peer === 0 ? undefined : sockets.get(entry.peer);
    if (peer === undefined || (peer.uflags & USK_EXTERN) === 0) return [];
    // A plugin may make the socket itself, and so may whoever hands its descriptor over.
    if (entry.uflags & (USK_EXTERN | USK_CALLBACK) || handed.has(`socket:[${entry.ino}]`))
      return [];
    return [{ entry, peer }];
  });
}

export const shownName = (entry: UnixSkEntry): string => {
  const name = nameOf(entry);
  if (name === undefined) return "a socket without a name";
  return "path" in name ? name.path : `@${name.abstract}`;
};
