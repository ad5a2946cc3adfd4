/** The senders of what waits in a Unix socket: the images have it since CRIU 4.3, of a socket with SO_PASSCRED. */
import type { SkPacketEntry } from "../../image/index.ts";
import type { Sender } from "../../sys/open-files.ts";
import { ownUsers } from "../facet.ts";
import type { OpenFile } from "./file.ts";

/** Of pieces in their order: one sender's that follow each other are one, as a stream need not keep them apart. */
function runs(pieces: readonly (readonly [who: string, bytes: number])[]): string {
  const merged: [who: string, bytes: number][] = [];
  for (const [who, bytes] of pieces) {
    const last = merged.at(-1);
    if (last?.[0] === who) last[1] += bytes;
    else merged.push([who, bytes]);
  }
  return merged.map(([who, bytes]) => `${bytes} bytes of ${who}`).join(", ");
}

/** An older CRIU sends it all anew as the overflow user: lost, and foreseen (image-newer). Any other sender than the saved one is another tree. */
export function compareSenders(
  saved: readonly SkPacketEntry[],
  found: readonly { readonly bytes: Uint8Array; readonly sender: Sender | undefined }[],
  file: OpenFile,
): void {
  if (!saved.some(({ ucred }) => ucred !== undefined)) return;
  const { checkpoint, live } = file.subject;
  if (!ownUsers(checkpoint)) return file.leftOut("ids in another user namespace");
  const show = (pid: number | undefined, uid: number, gid: number) =>
    `task ${pid} as ${uid}:${gid}`;
  const wanted = saved.map(({ ucred, length }) => {
    if (ucred === undefined) return ["nobody", length] as const;
    return [show(live.tasks.get(ucred.pid)?.pid, ucred.uid, ucred.gid), length] as const;
  });
  const now = found.map(({ sender, bytes }) => {
    const who =
      sender === undefined || sender.pid === 0
        ? "nobody"
        : show(sender.pid, sender.uid, sender.gid);
    return [who, bytes.length] as const;
  });
  const lost = now.every(([who]) => who === "nobody");
  file.same("senders", runs(wanted), runs(now), lost ? "tolerated" : undefined);
}
