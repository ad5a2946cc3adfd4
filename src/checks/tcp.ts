/** TCP connections (sk-tcp.c, soccr/soccr.c). */
import type { Check, Context, Finding } from "./finding.ts";
import { IPPROTO_TCP, TCP_LISTEN } from "../sys/linux.ts";
import {
  bytesOf,
  closesConnections,
  hostSockets,
  isConnection,
  same,
  TCP_TIME_WAIT,
  textOf,
  unmapped,
} from "./inet-entries.ts";
import type { InetSkEntry } from "../image/index.ts";
import { sh } from "../sys/shell.ts";

/** Connections that CRIU brings back as they were, or refuses to; none when they are restored closed. */
function connections(context: Context): InetSkEntry[] {
  if (closesConnections(context)) return [];
  return [...context.checkpoint.openFiles.values()].flatMap(({ isk }) =>
    isk !== undefined && isConnection(isk) ? [isk] : [],
  );
}

const about = (id: string, severity: Finding["severity"], entry: InetSkEntry) => ({
  id,
  severity,
  task: null,
  image: `files.img id 0x${entry.id.toString(16)}`,
  subject: shown(entry),
});

function shown(entry: InetSkEntry): string {
  const [source, destination] = [entry.src_addr, entry.dst_addr].map((words) =>
    bytesOf(entry.family, words),
  );
  if (source === undefined || destination === undefined) return `socket:[${entry.ino}]`;
  return `${textOf(source, entry.src_port)} - ${textOf(destination, entry.dst_port)}`;
}

const streamOf = (entry: InetSkEntry): string => `tcp-stream-${entry.ino.toString(16)}.img`;

export const tcpEstablished: Check = {
  id: "tcp-established",
  title: "There are TCP connections, and nothing says what becomes of them",
  reads: "TCP sockets in files.img, --tcp-established and --tcp-close",
  why:
    "CRIU wants to be told. --tcp-established brings connections back as they were: right when the address is the same and nothing has " +
    "answered for it meanwhile; recriu adds it, as it loses nothing. --tcp-close restores them closed, which the program sees.",
  proof: "criu",
  run(context) {
    const { request, checkpoint } = context;
    if (request.tcpEstablished) return [];
    const [first, ...others] = connections(context).filter((entry) =>
      checkpoint.files.has(streamOf(entry)),
    );
    if (first === undefined) return [];
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    return [
      {
        ...about("tcp-established", "blocker", first),
        message: `the TCP connection ${shown(first)}${more} cannot be restored without --tcp-established`,
        criu_message: "inet: Connected TCP socket in image",
        remedy: {
          kind: "option",
          text: "bring the connections back as they were (or --tcp-close: closed)",
          command: null,
          option: "--tcp-established",
          automatic: !request.explicit.has("tcp-established") && !request.explicit.has("tcp-close"),
        },
      },
    ];
  },
};

export const tcpStreamMissing: Check = {
  id: "tcp-stream-missing",
  title: "The state of a TCP connection was not saved",
  reads: "TCP sockets in files.img, and the names of tcp-stream-*.img",
  why:
    "Sequence numbers and what was on its way are in a file of each connection. It is missing when the dump was made with --tcp-close, " +
    "or the images were copied without it. Then the connection can only be restored closed, which is for the user to say.",
  proof: "criu",
  run(context) {
    const { files } = context.checkpoint;
    const lost = connections(context).filter((entry) => !files.has(streamOf(entry)));
    return lost.map((entry) => ({
      ...about("tcp-stream-missing", "blocker", entry),
      message: `${streamOf(entry)}, the state of the TCP connection ${shown(entry)}, is not there`,
      criu_message: context.request.tcpEstablished
        ? "Unexpected EOF on (empty-image)"
        : "inet: Connected TCP socket in image",
      remedy: {
        kind: "option",
        text: "restore all TCP connections closed",
        command: null,
        option: "--tcp-close",
        automatic: false,
      },
    }));
  },
};

/** Closed, listening, and (13) bound only: such sockets are in nobody's way. */
const UNCONNECTED = new Set([7, TCP_LISTEN, 13]);

export const tcpConnectionBusy: Check = {
  id: "tcp-connection-busy",
  title: "A TCP connection of the tree exists on this machine",
  reads: "TCP sockets in files.img; the connections of this machine: sock_diag(7)",
  why:
    "Two connections cannot have the same four numbers: both addresses, both ports. The one that is there may be the dumped program itself, " +
    "left running, a second restore of it, or its last moments (TIME_WAIT, a minute).",
  proof: "criu",
  run(context) {
    if (closesConnections(context) || connections(context).length === 0) return [];
    const live = Map.groupBy(
      context.host.inetSockets(IPPROTO_TCP).filter(({ state }) => !UNCONNECTED.has(state)),
      key,
    );
    return hostSockets(context).flatMap(({ entry, source, destination }): Finding[] => {
      if (!isConnection(entry)) return [];
      const candidates = live.get(
        key({ sourcePort: entry.src_port, destinationPort: entry.dst_port }),
      );
      const other = candidates?.find(
        (socket) =>
          same(unmapped(socket.source), source) && same(unmapped(socket.destination), destination),
      );
      if (other === undefined) return [];
      const ending = other.state === TCP_TIME_WAIT;
      const owner = context.host.ownerOf(other.inode);
      return [
        {
          ...about("tcp-connection-busy", ending ? "warning" : "blocker", entry),
          message: `the TCP connection ${shown(entry)} exists already${ending ? ", in its last minute" : owner === undefined ? "" : ` in process ${owner.pid} (${owner.comm})`}`,
          criu_message: "Can't connect inet socket back: Cannot assign requested address",
          remedy: {
            kind: "human",
            text: ending
              ? "wait a minute"
              : `stop ${owner === undefined ? "whoever has it" : `process ${owner.pid} (${owner.comm})`}, and wait the minute that the kernel keeps it; or restore connections closed: --tcp-close`,
            // Its own end has it wait, too.
            command: ending || owner === undefined ? null : sh`kill ${owner.pid} && sleep 61`,
          },
        },
      ];
    });
  },
};

const key = ({ sourcePort, destinationPort }: { sourcePort: number; destinationPort: number }) =>
  sourcePort * 65536 + destinationPort;
