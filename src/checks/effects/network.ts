/** The network: sockets in this machine's namespace, devices, and what CRIU sets up in the tree's own (net.c, sk-inet.c). */
import { net_device_entry, netns_entry } from "../../image/tables/namespaces.ts";
import { IPPROTO_TCP, IPPROTO_UDP, SOCK_RAW, TCP_LISTEN } from "../../sys/linux.ts";
import type { Context } from "../finding.ts";
import { hostSockets, isConnection, textOf } from "../sockets/inet-entries.ts";
import { MACVLAN, VETH } from "../sockets/net-link.ts";
import { netSysctls } from "../sockets/net-sysctls.ts";
import { filledIds } from "../sockets/net.ts";
import { inHostNet } from "../sockets/unix-entries.ts";
import { effect, type Effect, imageOf } from "./effect.ts";

export function* networkEffects(context: Context): Iterable<Effect> {
  yield* hostSockets(context).values().flatMap(inet);
  yield* listeners(context);
  for (const id of filledIds(context)) yield* namespace(context, id);
}

function inet({
  entry,
  image,
  source,
  destination,
}: ReturnType<typeof hostSockets>[number]): Effect[] {
  const { proto, state, type, src_port, dst_port } = entry;
  const protocol =
    proto === IPPROTO_TCP ? "tcp" : proto === IPPROTO_UDP ? "udp" : `protocol ${proto}`;
  const name = `${protocol} ${textOf(source, src_port)}`;
  if (type === SOCK_RAW)
    return [
      effect({
        verb: "listen",
        what: "raw socket",
        name,
        detail: "reads and forges packets of this machine",
        image,
        when: "running",
        check: "untrusted-network",
      }),
    ];
  if (isConnection(entry) && state !== TCP_LISTEN)
    return [
      effect({
        verb: "connect",
        what: "connection",
        name: `${name} to ${textOf(destination, dst_port)}`,
        detail:
          "goes on where it was saved, without a word to the other side; its packets are let through again",
        image,
      }),
    ];
  if (src_port === 0) return [];
  return [
    effect({
      verb: "listen",
      what: "port",
      name,
      detail: "bound in this machine's network namespace",
      image,
    }),
  ];
}

/** Packet sockets see all that passes; a tun descriptor is a network device of this machine. */
function listeners(context: Context): Iterable<Effect> {
  return context.checkpoint.openFiles.values().flatMap(({ id, psk, tunf }): Effect[] => {
    const shared = { image: imageOf(id), when: "running", check: "untrusted-network" } as const;
    if (psk !== undefined && inHostNet(context, psk.ns_id))
      return [
        effect({
          ...shared,
          verb: "listen",
          what: "packet socket",
          name: psk.ifindex === 0 ? "every device" : `device ${psk.ifindex}`,
          detail: `reads and writes whole packets of this machine, protocol ${psk.protocol}`,
        }),
      ];
    if (tunf?.netdev !== undefined && inHostNet(context, tunf.ns_id))
      return [
        effect({
          ...shared,
          verb: "create",
          what: "network device",
          name: tunf.netdev,
          detail: "a tun device of this machine: the tree reads and writes its packets",
        }),
      ];
    return [];
  });
}

/** A namespace of the tree's own: nothing in it is this machine's, but the far ends of pairs. */
function namespace(context: Context, id: number): Effect[] {
  const { checkpoint, request } = context;
  const inside = (
    verb: Effect["verb"],
    what: string,
    name: string,
    detail: string,
    image: string,
  ) =>
    effect({ verb, what, name, detail: `${detail}, in the tree's own network namespace`, image });
  const image = `netdev-${id}.img`;
  const devices = checkpoint.values(image, net_device_entry).flatMap((device): Effect[] => {
    const made = inside("create", "network device", device.name, `type ${device.type}`, image);
    const external = (kind: string) =>
      request.external.find((one) => one.kind === kind && one.key === device.name)?.value;
    if (device.type === MACVLAN)
      return [
        made,
        effect({
          verb: "join",
          what: "network device",
          name: external("macvlan") ?? "a device that no option names",
          detail: `carries the macvlan ${device.name} of the tree`,
          image,
        }),
      ];
    if (device.type !== VETH || device.peer_nsid !== undefined || external("netdev") !== undefined)
      return [made];
    const peer = external("veth");
    return [
      made,
      effect({
        verb: "create",
        what: "network device",
        name: peer ?? "vethN",
        detail: `the far end of ${device.name}, in this machine's network namespace`,
        image,
        check: peer === undefined ? "untrusted-network" : null,
      }),
    ];
  });
  const [entry] = checkpoint.values(`netns-${id}.img`, netns_entry);
  const settings = entry === undefined ? 0 : netSysctls(entry).length;
  const tools = [
    ["ifaddr", "ip addr restore"],
    ["route", "ip route restore"],
    ["route6", "ip -6 route restore"],
    ["rule", "ip rule restore"],
    ["iptables", "iptables-restore"],
    ["ip6tables", "ip6tables-restore"],
    ["nftables", "nft"],
  ].flatMap(([kind, program]): Effect[] => {
    const file = `${kind}-${id}.img`;
    return checkpoint.files.has(file)
      ? [inside("run", "program", program!, "reads the image", file)]
      : [];
  });
  const sysctls = inside("set", "sysctls", "net.*", `${settings} settings`, `netns-${id}.img`);
  return [...devices, ...(settings === 0 ? [] : [sysctls]), ...tools];
}
