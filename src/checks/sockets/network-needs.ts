/** What the tree's sockets need of the network that CRIU is in, where that has nothing but what it is given. */
import type { Request, Settings } from "../../criu/index.ts";
import type { Host } from "../../host/index.ts";
import type { Checkpoint } from "../../image/index.ts";
import { namespacesOf } from "../paths.ts";
import { hostSockets, isAny, isLinkLocal, textOf } from "./inet-entries.ts";
import { isPing } from "./ping-group-range.ts";
import { inHostNet, socketFiles } from "./unix-entries.ts";

interface NetworkNeeds {
  /** Devices by name, with the number that each has to have; 0: any. */
  readonly devices: ReadonlyMap<string, number>;
  /** Addresses of 4 or 16 bytes that sockets are bound to, and those that they are connected to. */
  readonly addresses: readonly Uint8Array[];
  readonly peers: readonly Uint8Array[];
  /** There are ICMP sockets. */
  readonly pings: boolean;
}

const LO = { name: "lo", index: 1 };

/** What every network has, once its lo is up; and addresses that no machine has for itself. */
const isGiven = (address: Uint8Array): boolean =>
  isAny(address) ||
  isLinkLocal(address) ||
  (address.length === 4
    ? address[0] === 127 || address[0]! >= 224
    : address[0] === 0xff || textOf(address) === "::1");

export function hostNeeds(
  checkpoint: Checkpoint,
  host: Host,
  request: Request,
  replaced: Settings["replaceIp"],
): NetworkNeeds {
  const context = {
    checkpoint,
    request,
    replaced,
    namespaces: namespacesOf(checkpoint, host, request),
  };
  const devices = new Map<string, number>();
  const numbered = new Set<number>();
  for (const { isk, psk, nlsk, usk } of socketFiles(checkpoint)) {
    const entry = isk ?? psk ?? nlsk ?? usk;
    if (entry === undefined || !inHostNet(context, entry.ns_id)) continue;
    for (const name of [isk?.ifname, entry.opts.so_bound_dev])
      if (name !== undefined && name !== LO.name) devices.set(name, 0);
    if (psk !== undefined && psk.ifindex > LO.index) numbered.add(psk.ifindex);
  }
  for (const index of numbered) devices.set(`recriu${index}`, index);
  const sockets = hostSockets(context);
  const bound = byText(sockets.map(({ source }) => source));
  const reached = byText(
    sockets.flatMap(({ entry, destination }) => (entry.dst_port === 0 ? [] : [destination])),
  );
  return {
    devices,
    addresses: [...bound.values()],
    peers: [...reached].flatMap(([text, address]) => (bound.has(text) ? [] : [address])),
    pings: sockets.some(({ entry }) => isPing(entry)),
  };
}

const byText = (addresses: readonly Uint8Array[]): Map<string, Uint8Array> =>
  new Map(addresses.filter((each) => !isGiven(each)).map((each) => [textOf(each), each]));
