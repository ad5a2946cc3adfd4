import type { UnixSkEntry } from "../../image/index.ts";
import { ECONNREFUSED, ENOENT, EPROTOTYPE, errorText } from "../../sys/errno.ts";
import { SOCK_DGRAM } from "../../sys/linux.ts";
import { typedOption } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { privateDirOf } from "../private-dirs.ts";
import { about, givenName, imageOf, inHostNet, nameOf } from "./unix-entries.ts";
import { outward, shownName } from "./unix-peers.ts";

export const unixPeerDown: Check = {
  title: "The service that a Unix socket was connected to does not run",
  reads:
    "external unix sockets in files.img; whether the socket of that name takes a connection now",
  why:
    "CRIU connects the socket again to the name of the service outside the tree, a system log for example, and stops when no process listens there. " +
    "Connecting a datagram socket tells the other side nothing, so recriu simply tries; of a stream it only sees whether anything is there.",
  proof: "criu",
  waits: true,
  run: (context) =>
    outward(context)
      .values()
      .flatMap(({ entry, peer }): Problem[] => {
        const errno = unreachable(context, entry, peer);
        if (errno === undefined) return [];
        return [
          {
            ...about("blocker", imageOf(entry)),
            subject: shownName(peer),
            message: `a socket was connected to ${shownName(peer)}, and that cannot be reached: ${errorText(errno)}`,
            criu_message: `unix: Can't connect ${entry.ino} socket: ${errorText(errno)}`,
            remedy: {
              kind: "human",
              text: `start the service that listens there; or hand a socket over in place of this one: ${typedOption(`--inherit-fd fd[N]:socket:[${entry.ino}]`)}`,
            },
          },
        ];
      }),
};

/** Why a socket outside the tree cannot be connected to; undefined when it can, or when that cannot be known. */
function unreachable(context: Context, entry: UnixSkEntry, peer: UnixSkEntry): number | undefined {
  const name = nameOf(peer);
  if (name === undefined) return undefined;
  if ("abstract" in name) {
    const shown = `@${name.abstract}`.replaceAll("\0", "@");
    // In a network of the tree's own there is none but its own.
    const live = context.isolate.has("net")
      ? undefined
      : context.host.unixSockets.find((socket) => socket.path === shown);
    if (live?.type === entry.type || !inHostNet(context, peer.ns_id)) return undefined;
    return live === undefined ? -ECONNREFUSED : -EPROTOTYPE;
  }
  // CRIU does not save in which directory an outsider's relative name is.
  if (!givenName(peer).startsWith("/")) return undefined;
  const place = context.namespaces.place(name.path);
  if (!place.onHost) return undefined;
  // A stream's server would be told of a try: of streams it is only known that nothing is there.
  // Behind the tree's own directory a socket's file is not the one that its owner bound.
  const real = place.root.real(place.path);
  if (real !== undefined && privateDirOf(real, context) !== undefined) return -ECONNREFUSED;
  const found = place.root.look(place.path);
  if (!found.ok) return found.missing ? -ENOENT : undefined;
  if (entry.type !== SOCK_DGRAM) return undefined;
  const errno = place.root.connect(place.path);
  return [-ECONNREFUSED, -EPROTOTYPE].includes(errno) ? errno : undefined;
}
