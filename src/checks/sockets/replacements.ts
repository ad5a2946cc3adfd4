/** Addresses of the tree's sockets that are others here: as the user says, or where there is but one that can be meant. */
import type { Settings } from "../../criu/index.ts";
import { EADDRNOTAVAIL } from "../../sys/errno.ts";
import { AF_INET } from "../../sys/linux.ts";
import type { Context } from "../finding.ts";
import {
  closesConnections,
  hostSockets,
  isAny,
  isConnection,
  isLinkLocal,
  same,
  type SavedSocket,
  textOf,
} from "./inet-entries.ts";

/** Of 4 or 16 bytes, both of one family. `chosen`: by recriu. */
export interface Replacement {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly chosen: boolean;
}

/** The ends of connections whose other end is not in the tree. */
export function outsiders(sockets: readonly SavedSocket[]): SavedSocket[] {
  const ends = ({ entry, source, destination }: SavedSocket) => [
    textOf(source, entry.src_port),
    textOf(destination, entry.dst_port),
  ];
  const known = new Set(sockets.map((saved) => ends(saved).join(" ")));
  return sockets.filter(
    (saved) => isConnection(saved.entry) && !known.has(ends(saved).toReversed().join(" ")),
  );
}

/** The first socket of each address that CRIU cannot bind one to here. */
export function withoutAddress(context: Context): SavedSocket[] {
  const asked = new Set<string>();
  return hostSockets(context).filter(({ entry, source }) => {
    const connection = isConnection(entry);
    if (connection && closesConnections(context)) return false;
    // IPv6 sockets are bound with IP_FREEBIND, with IPv4 addresses too.
    if (!connection && (entry.src_port === 0 || entry.family !== AF_INET)) return false;
    if (isAny(source) || isLinkLocal(source) || asked.has(textOf(source))) return false;
    asked.add(textOf(source));
    return context.host.bindAddress(source) === -EADDRNOTAVAIL;
  });
}

/** What CRIU says of one. */
export const unbindable = ({ entry }: SavedSocket): string =>
  isConnection(entry)
    ? "Can't bind inet socket back: Cannot assign requested address"
    : `inet: Can't bind inet socket (id ${entry.id}): Cannot assign requested address`;

/** From where an address is reached: it is replaced by one of the same kind. */
function kindOf(address: Uint8Array): string {
  const [a = 0, b = 0, c = 0] = address;
  if (address.length === 16) {
    if (textOf(address) === "::1") return "loopback";
    if (isLinkLocal(address)) return "link";
    if ((a & 0xfe) === 0xfc) return "private";
    return a === 0x20 && b === 0x01 && c === 0x0d && address[3] === 0xb8 ? "example" : "public";
  }
  if (a === 127) return "loopback";
  if (a === 169 && b === 254) return "link";
  if (a === 10 || (a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168)) return "private";
  if (a === 100 && (b & 0xc0) === 64) return "carrier";
  const examples = ["192.0.2", "198.51.100", "203.0.113"];
  return examples.includes(`${a}.${b}.${c}`) ? "example" : "public";
}

/** Addresses of this machine that could be in the place of one. */
export const candidates = ({ host }: Context, address: Uint8Array): Uint8Array[] =>
  host.addresses.filter(
    (each) => each.length === address.length && kindOf(each) === kindOf(address),
  );

/**
 * What is to be replaced. recriu chooses where it loses nothing: one address that is gone, one of its kind that is there, and no
 * connection to others, which could not follow.
 */
export function replacementsFor(
  context: Context,
  { replaceIp, fix }: Settings,
  mayChoose: boolean,
): Replacement[] {
  const asked = replaceIp.map((each) => ({ ...each, chosen: false }));
  if (!mayChoose || fix === "none" || context.isolate.has("net")) return asked;
  const given = { ...context, replaced: asked };
  const outside = outsiders(hostSockets(given));
  const chosen = withoutAddress(given).flatMap(({ source: from }): Replacement[] => {
    const [to, another] = candidates(context, from);
    if (to === undefined || another !== undefined) return [];
    return outside.some(({ source }) => same(source, from)) ? [] : [{ from, to, chosen: true }];
  });
  return [...asked, ...chosen];
}
