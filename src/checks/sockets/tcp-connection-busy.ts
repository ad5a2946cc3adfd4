import { IPPROTO_TCP, TCP_LISTEN } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import {
  closesConnections,
  hostSockets,
  isConnection,
  same,
  TCP_TIME_WAIT,
  unmapped,
} from "./inet-entries.ts";
import { about, connections, shown } from "./tcp.ts";

/** Closed, listening, and (13) bound only: such sockets take no connection's place. */
const UNCONNECTED = new Set([7, TCP_LISTEN, 13]);

export const tcpConnectionBusy: Check = {
  title: "A TCP connection of the tree exists on this machine",
  reads: "TCP sockets in files.img; the connections of this machine: sock_diag(7)",
  why:
    "Two connections cannot have the same four numbers: both addresses, both ports. The one that is there may be the dumped program itself, " +
    "left running, a second restore of it, or its last moments (TIME_WAIT, a minute).",
  proof: "criu",
  waits: true,
  isolate: "net",
  run(context) {
    if (closesConnections(context) || connections(context).length === 0) return [];
    const live = Map.groupBy(
      context.host.inetSockets(IPPROTO_TCP).filter(({ state }) => !UNCONNECTED.has(state)),
      key,
    );
    return hostSockets(context)
      .values()
      .flatMap(({ entry, source, destination }): Problem[] => {
        if (!isConnection(entry)) return [];
        const candidates = live.get(
          key({ sourcePort: entry.src_port, destinationPort: entry.dst_port }),
        );
        const other = candidates?.find(
          (socket) =>
            same(unmapped(socket.source), source) &&
            same(unmapped(socket.destination), destination),
        );
        if (other === undefined) return [];
        const ending = other.state === TCP_TIME_WAIT;
        const owner = context.host.ownerOf(other.inode);
        return [
          {
            ...about(ending ? "warning" : "blocker", entry),
            message: `the TCP connection ${shown(entry)} exists already${ending ? ", in its last minute" : owner === undefined ? "" : ` in process ${owner.pid} (${owner.comm})`}`,
            criu_message: "Can't connect inet socket back: Cannot assign requested address",
            remedy: {
              kind: "human",
              text: ending
                ? "wait a minute"
                : `stop ${owner === undefined ? "the process that has it" : `process ${owner.pid} (${owner.comm})`}, and wait the minute that the kernel keeps it; or restore connections closed: --tcp-close`,
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
