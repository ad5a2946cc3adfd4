/** Ports, addresses and interfaces that IP sockets need (sk-inet.c, sk-packet.c). */
import type { InetSocket } from "../../host/index.ts";
import { SOCK_RAW } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Context, Problem } from "../finding.ts";
import { hostSockets, isConnection, type SavedSocket, textOf } from "./inet-entries.ts";

export const about = (severity: Problem["severity"], image: string, subject: string) => ({
  severity,
  image,
  subject,
});

/** Sockets of this machine by protocol and local port; asked for only when a socket of the tree needs to know. */
export function livePorts({
  host,
}: Context): (protocol: number, port: number) => readonly InetSocket[] {
  const byNamespace = new Map<number, Map<number, InetSocket[]>>();
  return (protocol, port) => {
    let ports = byNamespace.get(protocol);
    if (ports === undefined) {
      ports = Map.groupBy(host.inetSockets(protocol), ({ sourcePort }) => sourcePort);
      byNamespace.set(protocol, ports);
    }
    return ports.get(port) ?? [];
  };
}

/** Saved sockets of these protocols that CRIU binds to a port, each address once. */
export function bound(context: Context, protocols: readonly number[]): SavedSocket[] {
  const seen = new Set<string>();
  return hostSockets(context).filter((saved) => {
    const { entry } = saved;
    if (!protocols.includes(entry.proto) || entry.src_port === 0 || isConnection(entry))
      return false;
    // Of a raw socket the port is its protocol, which many can have.
    if (entry.type === SOCK_RAW) return false;
    const key = `${entry.proto} ${entry.opts.so_bound_dev} ${textOf(saved.source, entry.src_port)}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

export function ownerText({ host }: Context, { inode }: InetSocket): string {
  const owner = host.ownerOf(inode);
  return owner === undefined ? "another process" : `process ${owner.pid} (${owner.comm})`;
}

export function ownerRemedy(
  { host }: Context,
  { inode, sourcePort }: InetSocket,
  protocol: "tcp" | "udp",
): Problem["remedy"] {
  const owner = host.ownerOf(inode);
  const command =
    owner === undefined
      ? sh`ss -H${protocol === "tcp" ? "lt" : "au"}np ${`sport = :${sourcePort}`}`
      : sh`kill ${owner.pid}`;
  return {
    kind: "human",
    text: `stop ${owner === undefined ? "the process that has the port" : `process ${owner.pid} (${owner.comm})`}, or restore in a network namespace of its own`,
    command,
  };
}
