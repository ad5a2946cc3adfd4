/** The other ends of Unix sockets: outside the tree, gone, or not able to take what waits in a queue (sk-unix.c, sk-queue.c). */
import { USK_EXTERN } from "../image/flags.ts";
import { ECONNREFUSED, ENOENT, EPROTOTYPE, errorText } from "../sys/errno.ts";
import type { Checkpoint, UnixSkEntry } from "../image/index.ts";
import { SOCK_DGRAM, UNIX_PATH_MAX } from "../sys/linux.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { about, givenName, imageOf, inHostNet, nameOf, USK_CALLBACK } from "./unix-entries.ts";
import { sh, typedOption } from "../sys/shell.ts";

const byIno = ({ openFiles }: Checkpoint): Map<number, UnixSkEntry> =>
  new Map(
    [...openFiles.values()].flatMap(({ usk }) => (usk === undefined ? [] : [[usk.ino, usk]])),
  );

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

const shownName = (entry: UnixSkEntry): string => {
  const name = nameOf(entry);
  if (name === undefined) return "a socket without a name";
  return "path" in name ? name.path : `@${name.abstract}`;
};

export const unixSocketExternal: Check = {
  id: "unix-socket-external",
  title: "A Unix socket is connected to a process outside the tree",
  reads: "unix sockets in files.img, and --ext-unix-sk",
  why:
    "The other end was not dumped: the socket is connected again to whoever has that name now. CRIU wants to be told that this is meant, " +
    "though of a datagram socket only when it is itself connected to from inside the tree. The option changes nothing else, so recriu adds it.",
  proof: "criu",
  run(context) {
    if (context.request.extUnixSk) return [];
    const queued = new Set([...byIno(context.checkpoint).values()].map(({ peer }) => peer));
    return outward(context).flatMap(({ entry, peer }): Finding[] => {
      if (entry.type === SOCK_DGRAM && !queued.has(entry.ino)) return [];
      return [
        {
          ...about("unix-socket-external", "blocker", imageOf(entry)),
          subject: shownName(peer),
          message: `a socket is connected to ${shownName(peer)}, which belongs to a process outside the tree`,
          criu_message:
            "External socket found in image. Consider using the --ext-unix-sk option to allow restoring it.",
          remedy: {
            kind: "option",
            text: "connect it again to whoever has that name now",
            command: null,
            option: "--ext-unix-sk",
            automatic: true,
          },
        },
      ];
    });
  },
};

export const unixPeerDown: Check = {
  id: "unix-peer-down",
  title: "The service that a Unix socket was connected to does not run",
  reads:
    "external unix sockets in files.img; whether the socket of that name takes a connection now",
  why:
    "CRIU connects the socket again to the name of the service outside the tree, a system log for example, and stops when nobody is there. " +
    "Connecting a datagram socket tells the other side nothing, so recriu simply tries; of a stream it only sees whether anything is there.",
  proof: "criu",
  run: (context) =>
    outward(context).flatMap(({ entry, peer }): Finding[] => {
      const errno = unreachable(context, entry, peer);
      if (errno === undefined) return [];
      return [
        {
          ...about("unix-peer-down", "blocker", imageOf(entry)),
          subject: shownName(peer),
          message: `a socket was connected to ${shownName(peer)}, and that cannot be reached: ${errorText(errno)}`,
          criu_message: `unix: Can't connect ${entry.ino} socket: ${errorText(errno)}`,
          remedy: {
            kind: "human",
            text: `start the service that listens there; or hand a socket over in place of this one: ${typedOption(`--inherit-fd fd[N]:socket:[${entry.ino}]`)}`,
            command: null,
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
    const live = context.host.unixSockets.find((socket) => socket.path === shown);
    if (live?.type === entry.type || !inHostNet(context, peer.ns_id)) return undefined;
    return live === undefined ? -ECONNREFUSED : -EPROTOTYPE;
  }
  // CRIU does not save in which directory an outsider's relative name is.
  if (!givenName(peer).startsWith("/")) return undefined;
  const place = context.namespaces.place(name.path);
  if (!place.known) return undefined;
  // A stream's server would be told of a try: of streams it is only known that nothing is there.
  const found = place.root.look(place.path);
  if (!found.ok) return found.missing ? -ENOENT : undefined;
  if (entry.type !== SOCK_DGRAM) return undefined;
  const errno = place.root.connect(place.path);
  return [-ECONNREFUSED, -EPROTOTYPE].includes(errno) ? errno : undefined;
}

export const unixPeerMissing: Check = {
  id: "unix-peer-missing",
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
    return [...checkpoint.openFiles.values()].flatMap(({ usk }): Finding[] => {
      if (usk === undefined) return [];
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

const broken = (entry: UnixSkEntry, message: string, criu: string): Finding => ({
  ...about("unix-peer-missing", "blocker", imageOf(entry)),
  subject: `socket:[${entry.ino}]`,
  message,
  criu_message: `unix: ${criu}`,
  remedy: {
    kind: "human",
    text: message.includes("only after it")
      ? "put its entry after the other one's in a copy of files.img (crit decode, crit encode)"
      : "dump again, with both ends in the tree; these images cannot be restored",
    command: null,
  },
});

export const unixQueueTooLong: Check = {
  id: "unix-queue-too-long",
  title: "More datagrams wait in a Unix socket than this machine lets wait",
  reads: "sk-queues.img, unix sockets in files.img; net.unix.max_dgram_qlen",
  why:
    "CRIU sends every waiting datagram again. A datagram socket takes one more than net.unix.max_dgram_qlen, as that was when " +
    "the socket was made: at the restore, that of this machine.",
  proof: "criu",
  run(context) {
    const { checkpoint, host } = context;
    const limit = Number(host.read("/proc/sys/net/unix/max_dgram_qlen")?.trim());
    if (!Number.isFinite(limit)) return [];
    const waiting = new Map<number, number>();
    for (const { id_for } of checkpoint.socketQueues)
      waiting.set(id_for, (waiting.get(id_for) ?? 0) + 1);
    const sockets = byIno(checkpoint);
    return [...sockets.values()].flatMap((usk): Finding[] => {
      if (usk.type !== SOCK_DGRAM || !inHostNet(context, usk.ns_id)) return [];
      const count = waiting.get(usk.id) ?? 0;
      // Two sockets connected to each other have no such limit.
      if (count <= limit + 1 || sockets.get(usk.peer)?.peer === usk.ino) return [];
      return [
        {
          ...about("unix-queue-too-long", "blocker", "sk-queues.img"),
          subject: nameOf(usk) === undefined ? `socket:[${usk.ino}]` : shownName(usk),
          message: `${count} datagrams wait in it; net.unix.max_dgram_qlen lets ${limit + 1} wait`,
          criu_message: "Failed to send packet: Resource temporarily unavailable",
          remedy: {
            kind: "human",
            text: `raise net.unix.max_dgram_qlen to ${count} for the restore`,
            command: sh`sysctl -w net.unix.max_dgram_qlen=${count}`,
          },
        },
      ];
    });
  },
};
