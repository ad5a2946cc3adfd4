/** Netlink sockets (netlink(7)): protocol, port, groups and whom they are connected to, asked of a copy. */
import { peerName, socketName, SOL_SOCKET, socketOption } from "../../sys/descriptors.ts";
import type { Compare } from "./file.ts";

const SO_PROTOCOL = 38;
/** netlink_sk_entry.state (linux/netlink.h of the kernel). */
const CONNECTED = 1;
/** struct sockaddr_nl: family, padding, port, mask of groups. */
const SIZE = 12;

export const netlink: Compare<"nlsk"> = (saved, file) =>
  file.through((copy) => {
    const protocol = socketOption(copy, SOL_SOCKET, SO_PROTOCOL, 4)?.readUInt32LE(0);
    file.same("netlink protocol", saved.protocol, protocol);
    const address = addressOf(socketName(copy, SIZE));
    // CRIU takes another port where this one is in use.
    const other =
      saved.portid !== 0 && address !== undefined && address.port !== 0 ? "tolerated" : undefined;
    file.same("netlink port", saved.portid, address?.port, other);
    file.same("netlink groups", saved.groups[0] ?? 0, address?.groups);
    if (saved.state !== CONNECTED) return;
    const peer = addressOf(peerName(copy, SIZE));
    const group = saved.dst_group === 0 ? 0 : 2 ** (saved.dst_group - 1);
    file.same("netlink peer's port", saved.dst_portid, peer?.port);
    file.same("netlink peer's groups", group, peer?.groups);
  });

const addressOf = (address: Buffer | undefined) =>
  address && { port: address.readUInt32LE(4), groups: address.readUInt32LE(8) };
