/** The other ends of Unix sockets: outside the tree, gone, or not able to take what waits in a queue (sk-unix.c, sk-queue.c). */
import { ECONNREFUSED, ENOENT, ENOTDIR, EPROTOTYPE, errorText } from "../sys/errno.ts";
import type { Checkpoint, UnixSkEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import {
  about,
  givenName,
  imageOf,
  inHostNet,
  nameOf,
  SOCK_DGRAM,
  USK_CALLBACK,
} from "./unix-entries.ts";

const USK_EXTERN = 1;
/** CRIU's own limit is the kernel's: sizeof(sun_path), unix(7). */
const UNIX_PATH_MAX = 108;

const byIno = ({ openFiles }: Checkpoint): Map<number, UnixSkEntry> =>
  new Map(
    [...openFiles.values()].flatMap(({ usk }) => (usk === undefined ? [] : [[usk.ino, usk]])),
  );

interface Connected {
  entry: UnixSkEntry;
  peer: UnixSkEntry;
}

/** Sockets that CRIU will connect to somebody outside the tree. */
function outward({ checkpoint, request }: Context): Connected[] {
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
    "The other end was not dumped: the socket is connected again to whoever has that name now. CRIU wants to be told that this is " +
    "meant, at the restore as at the dump. The option changes nothing else, so recriu adds it.",
  proof: "criu",
  run(context) {
    if (context.request.extUnixSk) return [];
    return outward(context).map(({ entry, peer }) => ({
      ...about("unix-socket-external", "blocker", imageOf(entry)),
      subject: shownName(peer),
      message: `a socket is connected to ${shownName(peer)}, which belongs to a process outside the tree`,
      criu_message:
        "External socket found in image. Consider using the --ext-unix-sk option to allow restoring it.",
      remedy: {
        kind: "option",
        text: "connect it again to whoever has that name now",
        command: "--ext-unix-sk",
        option: "--ext-unix-sk",
        automatic: true,
      },
    }));
  },
};

export const unixPeerDown: Check = {
  id: "unix-peer-down",
  title: "The service that a Unix socket was connected to does not run",
  reads:
    "external unix sockets in files.img; whether the socket of that name takes a connection now",
  why:
    "CRIU connects the socket again to the name of the service outside the tree, a system log for example, and stops when nobody is there. " +
    "Only datagram sockets can be external, and connecting one tells the other side nothing, so recriu simply tries.",
  proof: "criu",
  run: (context) =>
    outward(context).flatMap(({ entry, peer }): Finding[] => {
      const errno = unreachable(context, peer);
      if (errno === undefined || entry.type !== SOCK_DGRAM) return [];
      return [
        {
          ...about("unix-peer-down", "blocker", imageOf(entry)),
          subject: shownName(peer),
          message: `a socket was connected to ${shownName(peer)}, and that cannot be reached: ${errorText(errno)}`,
          criu_message: `unix: Can't connect ${entry.ino} socket: ${errorText(errno)}`,
          remedy: {
            kind: "human",
            text: `start the service that listens there; or hand a socket over in place of this one: --inherit-fd fd[N]:socket:[${entry.ino}]`,
            command: null,
          },
        },
      ];
    }),
};

/** Why a socket outside the tree cannot be connected to; undefined when it can, or when that cannot be known. */
function unreachable(context: Context, peer: UnixSkEntry): number | undefined {
  const name = nameOf(peer);
  if (name === undefined) return undefined;
  if ("abstract" in name) {
    const shown = `@${name.abstract}`.replaceAll("\0", "@");
    const live = context.host.unixSockets.find((socket) => socket.path === shown);
    if (live?.type === SOCK_DGRAM || !inHostNet(context, peer.ns_id)) return undefined;
    return live === undefined ? -ECONNREFUSED : -EPROTOTYPE;
  }
  // CRIU does not save in which directory an outsider's relative name is.
  if (!givenName(peer).startsWith("/")) return undefined;
  const place = context.namespaces.place(name.path);
  if (!place.known) return undefined;
  const errno = place.root.connect(place.path);
  return [-ENOENT, -ENOTDIR, -ECONNREFUSED, -EPROTOTYPE].includes(errno) ? errno : undefined;
}

export const unixPeerMissing: Check = {
  id: "unix-peer-missing",
  title: "The images of a Unix socket cannot be right",
  reads: "unix sockets in files.img",
  why:
    "Both ends of a connection are in the images, an outsider's as a mark of its own. When one is lost, or a name is longer than a name can be, " +
    "the images are damaged or were put together wrongly, and CRIU stops while it reads them.",
  proof: "criu",
  run({ checkpoint }) {
    const sockets = byIno(checkpoint);
    const findings: Finding[] = [];
    const add = (entry: UnixSkEntry, message: string, criu_message: string) =>
      findings.push({
        ...about("unix-peer-missing", "blocker", imageOf(entry)),
        subject: `socket:[${entry.ino}]`,
        message,
        criu_message,
        remedy: {
          kind: "human",
          text: "dump again; these images cannot be restored",
          command: null,
        },
      });
    for (const { usk } of checkpoint.openFiles.values()) {
      if (usk === undefined) continue;
      if (usk.name.length > UNIX_PATH_MAX)
        add(
          usk,
          `its name has ${usk.name.length} bytes`,
          `unix: Bad unix name len ${usk.name.length}`,
        );
      else if (usk.deleted && (usk.name.length === 0 || usk.name[0] === 0))
        add(
          usk,
          "its file was deleted, and it has no path",
          `unix: No name present, ino ${usk.ino}`,
        );
      else if (usk.peer !== 0 && !sockets.has(usk.peer))
        add(
          usk,
          `its other end, socket ${usk.peer}, is not in the images`,
          `unix: FATAL: Peer ${usk.peer} unresolved for ${usk.ino}`,
        );
    }
    return findings;
  },
};

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
            command: `sysctl -w net.unix.max_dgram_qlen=${count}`,
          },
        },
      ];
    });
  },
};
