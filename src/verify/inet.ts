/** TCP and UDP sockets: port and state of each, by the descriptor that holds it (proc_net(5)). */
import type { Request } from "../criu/index.ts";
import { procFile } from "../host/processes.ts";
import type { Checkpoint, InetSkEntry } from "../image/index.ts";
import type { Facet, Subject } from "./facet.ts";

const SOCK_RAW = 3;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const TCP_LISTEN = 10;
const TABLES = ["tcp", "tcp6", "udp", "udp6"];

interface Inet {
  localPort: number;
  remotePort: number;
  state: number;
}

/** The TCP and UDP sockets that were saved, and what the kernel says of each now. */
function* socketsOf({ checkpoint, live }: Subject) {
  /** Tasks of one network namespace see the same tables. */
  const tables = new Map<string, Map<number, Inet>>();
  for (const { task, pid, proc } of live.tasks.values()) {
    for (const { id, fd } of task.fds) {
      const saved = checkpoint.openFiles.get(id)?.isk;
      // Of a raw socket the "port" is its protocol.
      if (saved === undefined || saved.src_port === 0 || saved.type === SOCK_RAW) continue;
      if (saved.proto !== IPPROTO_TCP && saved.proto !== IPPROTO_UDP) continue;
      const namespace = proc.link("ns/net") ?? "";
      const table = tables.get(namespace) ?? readTables(pid);
      tables.set(namespace, table);
      const inode = Number(/^socket:\[(\d+)\]$/.exec(proc.link(`fd/${fd}`) ?? "")?.[1]);
      const listens = saved.proto === IPPROTO_TCP && saved.state === TCP_LISTEN;
      yield { task: task.pid, fd, saved, listens, now: table.get(inode) };
    }
  }
}

/** A TCP socket that does not listen. Closed ones have no entry to look up, and --tcp-close makes all of them so. */
const isConnection = ({ proto, state }: InetSkEntry): boolean =>
  proto === IPPROTO_TCP && state !== TCP_LISTEN;
const isClosed = ({ dst_port }: InetSkEntry, { tcpClose }: Request): boolean =>
  tcpClose || dst_port === 0;

/** Whether the tree has connections to peers, who must not hear of a tree that is refused. */
export const hasConnections = ({ openFiles }: Checkpoint): boolean =>
  [...openFiles.values()].some(({ isk }) => isk !== undefined && isConnection(isk));

export const inetSockets: Facet = {
  id: "inet sockets",
  final: "outside",
  moving: true,
  compare(subject, { same }) {
    for (const { task, fd, saved, listens, now } of socketsOf(subject)) {
      const connection = isConnection(saved);
      if (connection && isClosed(saved, subject.request)) continue;
      if (connection && now === undefined) continue; // its peer closed it as soon as the network was unlocked
      const ports = ({ localPort, remotePort }: Inet) => `${localPort} to ${remotePort}`;
      const expected = ports({ localPort: saved.src_port, remotePort: saved.dst_port, state: 0 });
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
  compare(subject, { same }) {
    if (!subject.live.stopped) return;
    for (const { task, fd, saved, now } of socketsOf(subject)) {
      if (!isConnection(saved) || isClosed(saved, subject.request) || now === undefined) continue;
      same(task, `TCP state of descriptor ${fd}`, saved.state, now.state);
    }
  },
};

function readTables(pid: number): Map<number, Inet> {
  const sockets = new Map<number, Inet>();
  for (const name of TABLES) {
    for (const line of (procFile(pid, `net/${name}`) ?? "").split("\n").slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined) continue;
      const portOf = (address: string | undefined) =>
        Number.parseInt(address?.split(":")[1] ?? "0", 16);
      const found = {
        localPort: portOf(local),
        remotePort: portOf(remote),
        state: Number.parseInt(state ?? "0", 16),
      };
      sockets.set(Number(inode), found);
    }
  }
  return sockets;
}
