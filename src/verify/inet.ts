/** TCP and UDP sockets: port and state of each, by the descriptor that holds it (proc_net(5)). */
import { procFile } from "../host/processes.ts";
import type { Facet } from "./facet.ts";

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

export const inetSockets: Facet = {
  id: "inet sockets",
  final: "outside",
  moving: true,
  compare({ checkpoint, live, request }, { same }) {
    /** Tasks of one network namespace see the same tables. */
    const tables = new Map<string, Map<number, Inet>>();
    for (const { task, pid, proc } of live.tasks.values()) {
      for (const { id, fd } of task.fds) {
        const saved = checkpoint.openFiles.get(id)?.isk;
        // Of a raw socket the "port" is its protocol.
        if (saved === undefined || saved.src_port === 0 || saved.type === SOCK_RAW) continue;
        if (saved.proto !== IPPROTO_TCP && saved.proto !== IPPROTO_UDP) continue;
        // Closed connections have no entry to look up, and --tcp-close makes all of them so.
        const connected = saved.proto === IPPROTO_TCP && saved.state !== TCP_LISTEN;
        if (connected && (request.tcpClose || saved.dst_port === 0)) continue;
        const namespace = proc.link("ns/net") ?? "";
        const table = tables.get(namespace) ?? readTables(pid);
        tables.set(namespace, table);
        const inode = Number(/^socket:\[(\d+)\]$/.exec(proc.link(`fd/${fd}`) ?? "")?.[1]);
        const now = table.get(inode);
        if (connected && now === undefined) continue; // its peer closed it as soon as the network was unlocked
        const ports = ({ localPort, remotePort }: Inet) => `${localPort} to ${remotePort}`;
        const expected = ports({ localPort: saved.src_port, remotePort: saved.dst_port, state: 0 });
        same(task.pid, `ports of descriptor ${fd}`, expected, now && ports(now));
        // Until the network is unlocked a connection stays in the state it was saved in.
        if (connected && live.stopped)
          same(task.pid, `TCP state of descriptor ${fd}`, saved.state, now?.state);
        if (saved.proto !== IPPROTO_TCP || saved.state !== TCP_LISTEN) continue;
        same(
          task.pid,
          `port ${saved.src_port} listens`,
          "yes",
          now?.state === TCP_LISTEN ? "yes" : "no",
        );
      }
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
