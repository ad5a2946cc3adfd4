/** TCP and UDP sockets: port and state of each, by the descriptor that holds it (proc_net(5)). */
import type { Request } from "../criu/index.ts";
import { procFile } from "../host/processes.ts";
import { filesWith, type Checkpoint, type InetSkEntry } from "../image/index.ts";
import { tcp_stream_entry } from "../image/tables/sockets.ts";
import { IPPROTO_TCP, IPPROTO_UDP, SOCK_RAW, TCP_LISTEN } from "../sys/linux.ts";
import type { Comparison, Facet, Subject } from "./facet.ts";

/**
 * States (net/tcp_states.h) in which a SYN or FIN was sent and not acknowledged, or a FIN received: the kernel counts it in the
 * queue like a byte, and the images do not (soccr.c).
 */
const [SYN_SENT, FIN_WAIT1, CLOSE_WAIT, LAST_ACK, CLOSING] = [2, 4, 8, 9, 11];
const SENT_ONE = new Set([SYN_SENT, FIN_WAIT1, LAST_ACK, CLOSING]);
const RECEIVED_ONE = new Set([CLOSE_WAIT, LAST_ACK, CLOSING]);
const TABLES = ["tcp", "tcp6", "udp", "udp6"];

interface Inet {
  localPort: number;
  remotePort: number;
  state: number;
  /** Bytes that were sent and not acknowledged, and that were received and not read; of a listener other things. */
  queued: readonly [sent: number, received: number];
}

/** The TCP and UDP sockets that were saved, and what the kernel says of each now. */
function* socketsOf({ checkpoint, live }: Subject, leftOut: Comparison["leftOut"] = () => {}) {
  /** Tasks of one network namespace see the same tables. */
  const tables = new Map<string, Map<number, Inet>>();
  for (const { task, pid, proc } of live.tasks.values()) {
    for (const { id, fd } of task.fds) {
      const saved = checkpoint.openFiles.get(id)?.isk;
      if (saved === undefined) continue;
      if (!isShown(saved)) {
        leftOut("sockets that are neither TCP nor UDP, or have no port");
        continue;
      }
      const namespace = proc.link("ns/net") ?? "";
      const table = tables.get(namespace) ?? readTables(pid);
      tables.set(namespace, table);
      const inode = Number(/^socket:\[(\d+)\]$/.exec(proc.link(`fd/${fd}`) ?? "")?.[1]);
      const listens = saved.proto === IPPROTO_TCP && saved.state === TCP_LISTEN;
      yield { task: task.pid, fd, saved, listens, now: table.get(inode) };
    }
  }
}

/** Of a raw socket the "port" is its protocol. */
const isShown = ({ src_port, type, proto }: InetSkEntry): boolean =>
  src_port !== 0 && type !== SOCK_RAW && (proto === IPPROTO_TCP || proto === IPPROTO_UDP);

/** A TCP socket that does not listen. Closed ones have no entry to look up, and --tcp-close makes all of them so. */
const isConnection = ({ proto, state }: InetSkEntry): boolean =>
  proto === IPPROTO_TCP && state !== TCP_LISTEN;
const isClosed = ({ dst_port }: InetSkEntry, { tcpClose }: Request): boolean =>
  tcpClose || dst_port === 0;

/** Whether the tree has connections to peers, which must not hear of a tree that is refused. */
export const hasConnections = (checkpoint: Checkpoint): boolean =>
  filesWith(checkpoint, "isk").some(({ isk }) => isConnection(isk));

export const inetSockets: Facet = {
  id: "inet sockets",
  final: "outside",
  moving: true,
  compare(subject, { same, leftOut }) {
    for (const { task, fd, saved, listens, now } of socketsOf(subject, leftOut)) {
      const connection = isConnection(saved);
      if (connection && isClosed(saved, subject.request)) {
        leftOut(
          saved.dst_port === 0 ? "closed TCP sockets" : "TCP connections closed by --tcp-close",
        );
        continue;
      }
      if (connection && now === undefined) {
        leftOut("TCP connections that ended as soon as the network was unlocked");
        continue;
      }
      const ports = ({ localPort, remotePort }: Pick<Inet, "localPort" | "remotePort">) =>
        `${localPort} to ${remotePort}`;
      const expected = ports({ localPort: saved.src_port, remotePort: saved.dst_port });
      same(task, `ports of descriptor ${fd}`, expected, now && ports(now));
      if (listens)
        same(
          task,
          `port ${saved.src_port} listens`,
          "yes",
          now?.state === TCP_LISTEN ? "yes" : "no",
        );
    }
  },
};

/** Until the network is unlocked, behind post-restore, a connection stays in the state it was saved in. */
export const connections: Facet = {
  id: "inet sockets",
  final: "tree",
  moving: true,
  compare(subject, { same, leftOut }) {
    for (const { task, fd, saved, now } of socketsOf(subject)) {
      if (!isConnection(saved) || isClosed(saved, subject.request) || now === undefined) continue;
      if (!subject.live.stopped) {
        leftOut("states of TCP connections, as the tree runs");
        continue;
      }
      same(task, `TCP state of descriptor ${fd}`, saved.state, now.state);
      const file = `tcp-stream-${saved.ino.toString(16)}.img`;
      const [stream] = subject.checkpoint.values(file, tcp_stream_entry);
      if (stream === undefined) leftOut("TCP queues whose image is not there");
      else {
        const sent = stream.outq_len + Number(SENT_ONE.has(saved.state));
        const received = stream.inq_len + Number(RECEIVED_ONE.has(saved.state));
        const what = `bytes sent and received of descriptor ${fd}`;
        same(task, what, `${sent} and ${received}`, now.queued.join(" and "));
      }
    }
  },
};

function readTables(pid: number): Map<number, Inet> {
  const sockets = new Map<number, Inet>();
  for (const name of TABLES) {
    for (const line of (procFile(pid, `net/${name}`) ?? "").split("\n").slice(1)) {
      const [, local, remote, state, queues, , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined) continue;
      const portOf = (address: string | undefined) =>
        Number.parseInt(address?.split(":")[1] ?? "0", 16);
      const found = {
        localPort: portOf(local),
        remotePort: portOf(remote),
        state: Number.parseInt(state ?? "0", 16),
        queued: [
          Number.parseInt(queues ?? "0", 16),
          Number.parseInt(queues?.split(":")[1] ?? "0", 16),
        ],
      } as const;
      sockets.set(Number(inode), found);
    }
  }
  return sockets;
}
