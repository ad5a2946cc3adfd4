/** Ports, addresses and interfaces that IP sockets need (sk-inet.c, sk-packet.c). */
import { EADDRNOTAVAIL } from "../sys/errno.ts";
import type { InetSocket } from "../host/index.ts";
import { IPPROTO_TCP, IPPROTO_UDP, SOCK_RAW, TCP_LISTEN } from "../sys/linux.ts";
import type { Check, Context, Finding } from "./finding.ts";
import {
  closesConnections,
  endpointOf,
  hostSockets,
  IPPROTO_UDPLITE,
  isAny,
  isConnection,
  isLinkLocal,
  liveEndpoint,
  overlap,
  type SavedSocket,
  textOf,
} from "./inet-entries.ts";
import { inHostNet } from "./unix-entries.ts";
import { sh } from "../sys/shell.ts";

const about = (id: string, severity: Finding["severity"], image: string, subject: string) => ({
  id,
  severity,
  task: null,
  image,
  subject,
});

/** Sockets of this machine by protocol and local port; asked for only when a socket of the tree needs to know. */
function livePorts({ host }: Context): (protocol: number, port: number) => readonly InetSocket[] {
  const known = new Map<number, Map<number, InetSocket[]>>();
  return (protocol, port) => {
    let ports = known.get(protocol);
    if (ports === undefined) {
      ports = Map.groupBy(host.inetSockets(protocol), ({ sourcePort }) => sourcePort);
      known.set(protocol, ports);
    }
    return ports.get(port) ?? [];
  };
}

/** Saved sockets of these protocols that CRIU binds to a port, each address once. */
function bound(context: Context, protocols: readonly number[]): SavedSocket[] {
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

export const tcpPortBusy: Check = {
  id: "tcp-port-busy",
  title: "Somebody else listens on a TCP port of the tree",
  reads: "TCP sockets in files.img; the listeners of this machine: sock_diag(7)",
  why:
    "Two cannot listen on one port. And when the other one allows sharing (SO_REUSEPORT) it is worse: CRIU sets that option on every socket " +
    "for the moment, the bind succeeds, and from then on the kernel gives each of the two servers a part of the connections.",
  proof: "criu",
  run(context) {
    const live = livePorts(context);
    return bound(context, [IPPROTO_TCP]).flatMap((saved): Finding[] => {
      const { entry, image } = saved;
      const endpoint = endpointOf(saved, context);
      for (const other of live(IPPROTO_TCP, entry.src_port)) {
        if (other.state !== TCP_LISTEN) continue;
        const conflict = overlap(endpoint, liveEndpoint(other));
        if (conflict === "no") continue;
        const owner = context.host.ownerOf(other.inode);
        const shares = context.host.reuseOf(owner)?.port;
        // Servers that both want to share a port are meant to.
        if (entry.opts.so_reuseport === true && shares === true) continue;
        const sure = conflict === "yes" && (shares !== undefined || !entry.opts.so_reuseport);
        const port = `TCP ${textOf(saved.source, entry.src_port)}`;
        return [
          {
            ...about("tcp-port-busy", sure ? "blocker" : "warning", image, port),
            message: `${port} is taken: ${ownerText(context, other)} listens on ${textOf(liveEndpoint(other).address, other.sourcePort)}${shares ? ", and shares it: connections would go now to one, now to the other" : ""}`,
            criu_message: shares
              ? null
              : `inet: Can't bind inet socket (id ${entry.id}): Address already in use`,
            remedy: ownerRemedy(context, other, "tcp"),
          },
        ];
      }
      return [];
    });
  },
};

export const udpPortBusy: Check = {
  id: "udp-port-busy",
  title: "Somebody else has a UDP port of the tree",
  reads: "UDP sockets in files.img; those of this machine: sock_diag(7), pidfd_getfd(2)",
  why:
    "A UDP port is one socket's, unless all that have it allow sharing. CRIU allows it on every socket for the moment, so that the bind " +
    "succeeds where the other one allows it; then one of the two gets the datagrams of both.",
  proof: "criu",
  run(context) {
    const live = livePorts(context);
    return bound(context, [IPPROTO_UDP, IPPROTO_UDPLITE]).flatMap((saved): Finding[] => {
      const { entry, image } = saved;
      const endpoint = endpointOf(saved, context);
      for (const other of live(entry.proto, entry.src_port)) {
        const conflict = overlap(endpoint, liveEndpoint(other));
        if (conflict === "no") continue;
        const reuse = context.host.reuseOf(context.host.ownerOf(other.inode));
        const shares =
          reuse && (reuse.address || (reuse.port && other.uid === context.host.effectiveUid));
        // A program that asked for sharing meant it: multicast, several workers.
        if (shares && (entry.opts.reuseaddr || entry.opts.so_reuseport)) continue;
        const port = `UDP ${textOf(saved.source, entry.src_port)}`;
        const sure = conflict === "yes" && shares !== undefined;
        return [
          {
            ...about("udp-port-busy", sure ? "blocker" : "warning", image, port),
            message: `${port} is taken by ${ownerText(context, other)}${shares ? ", which shares it: one of the two would get the datagrams of both" : ""}`,
            criu_message: shares
              ? null
              : `inet: Can't bind inet socket (id ${entry.id}): Address already in use`,
            remedy: ownerRemedy(context, other, "udp"),
          },
        ];
      }
      return [];
    });
  },
};

function ownerText({ host }: Context, { inode }: InetSocket): string {
  const owner = host.ownerOf(inode);
  return owner === undefined ? "another process" : `process ${owner.pid} (${owner.comm})`;
}

function ownerRemedy(
  { host }: Context,
  { inode, sourcePort }: InetSocket,
  protocol: "tcp" | "udp",
): Finding["remedy"] {
  const owner = host.ownerOf(inode);
  const command =
    owner === undefined
      ? sh`ss -H${protocol === "tcp" ? "lt" : "au"}np ${`sport = :${sourcePort}`}`
      : sh`kill ${owner.pid}`;
  return {
    kind: "human",
    text: `stop ${owner === undefined ? "whoever has the port" : `process ${owner.pid} (${owner.comm})`}, or restore in a network namespace of its own`,
    command,
  };
}

export const tcpAddressMissing: Check = {
  id: "tcp-address-missing",
  title: "This machine does not have an address of the tree",
  reads: "IP sockets in files.img; whether a socket can be bound to the address here",
  why:
    "A socket is bound to its old address. On another machine, or after the address changed, the kernel refuses. (Of IPv6 CRIU only " +
    "needs it for connections.) Connections could be restored closed, by --tcp-close, which the program then sees; recriu never chooses that.",
  proof: "criu",
  run(context) {
    const asked = new Map<string, number>();
    return hostSockets(context).flatMap(({ entry, source, image }): Finding[] => {
      const connection = isConnection(entry);
      if (connection && closesConnections(context)) return [];
      const wanted = connection || (entry.src_port !== 0 && source.length === 4);
      if (!wanted || isAny(source) || isLinkLocal(source)) return [];
      // IPv6 sockets are bound with IP_FREEBIND, with IPv4 addresses too.
      if (!connection && entry.family !== 2) return [];
      const address = textOf(source);
      let errno = asked.get(address);
      if (errno !== undefined) return [];
      asked.set(address, (errno = context.host.bindAddress(source)));
      if (errno !== -EADDRNOTAVAIL) return [];
      const device = [...(context.host.interfaces?.keys() ?? [])].find((name) => name !== "lo");
      const text = `give this machine the address${connection ? "; or restore connections closed: --tcp-close" : ""}`;
      return [
        {
          ...about("tcp-address-missing", "blocker", image, address),
          message: `this machine does not have the address ${address}`,
          criu_message: connection
            ? "Can't bind inet socket back: Cannot assign requested address"
            : `inet: Can't bind inet socket (id ${entry.id}): Cannot assign requested address`,
          remedy: {
            kind: "human",
            text,
            command: sh`ip address add ${address}/${source.length * 8} dev ${[device ?? "lo"]}`,
          },
        },
      ];
    });
  },
};

export const netDeviceMissing: Check = {
  id: "net-device-missing",
  title: "A network interface that a socket is bound to is not there",
  reads: "SO_BINDTODEVICE, scope and packet sockets in files.img; the interfaces of this machine",
  why: "A socket can be bound to an interface: by its name, or, a packet socket, by its number. CRIU stops when there is none of that name or number.",
  proof: "criu",
  run(context) {
    return [...context.checkpoint.openFiles.values()].flatMap((file): Finding[] => {
      const { isk, psk, nlsk, usk } = file;
      const image = `files.img id 0x${file.id.toString(16)}`;
      const finding = (name: string, criu_message: string): Finding => ({
        ...about("net-device-missing", "blocker", image, name),
        message: `a socket is bound to the network interface ${name}, which this machine does not have`,
        criu_message,
        remedy: {
          kind: "human",
          text: "make or rename an interface; a pair of these every kernel has that has containers",
          command: /^\d+$/.test(name)
            ? sh`ip link add index ${name} type veth`
            : sh`ip link add ${[name]} type veth`,
        },
      });
      const entry = isk ?? psk ?? nlsk ?? usk;
      if (entry === undefined || !inHostNet(context, entry.ns_id)) return [];
      const { interfaces } = context.host;
      if (interfaces === undefined) return [];
      const scoped = isk !== undefined && isk.src_port !== 0 && !isConnection(isk);
      if (scoped && isk.ifname !== undefined && !interfaces.has(isk.ifname))
        return [finding(isk.ifname, `inet: couldn't find ifindex for ${isk.ifname}`)];
      if (psk !== undefined && psk.ifindex > 0 && ![...interfaces.values()].includes(psk.ifindex))
        return [finding(String(psk.ifindex), "packet: Can't bind packet socket: No such device")];
      const device = entry.opts.so_bound_dev;
      if (device === undefined || interfaces.has(device)) return [];
      return [finding(device, `sockets: Can't set 1:25 (len ${device.length}): No such device`)];
    });
  },
};
