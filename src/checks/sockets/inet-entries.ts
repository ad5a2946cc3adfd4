/** The IP sockets of a checkpoint, and how their addresses compare with those of this machine (sk-inet.c, sk-tcp.c). */
import type { Settings } from "../../criu/index.ts";
import type { InetSocket } from "../../host/index.ts";
import { filesWith, type InetSkEntry } from "../../image/index.ts";
import { AF_INET6, IPPROTO_TCP } from "../../sys/linux.ts";
import type { Context } from "../finding.ts";
import { inHostNet } from "./unix-entries.ts";

export const IPPROTO_UDPLITE = 136;

export const TCP_TIME_WAIT = 6;

/** An address and a port, to be compared. */
interface Endpoint {
  address: Uint8Array;
  port: number;
  /** Bound to an interface of this name or number; undefined and 0 are none. */
  device: number | string | undefined;
  /** Of `::`, whether it leaves IPv4 alone. */
  v6only: boolean | undefined;
}

/** Image words hold the bytes of an address as they are in memory. Always as many as the family says, or undefined. */
export function bytesOf(family: number, words: readonly number[]): Uint8Array | undefined {
  const size = family === AF_INET6 ? 4 : 1;
  if (words.length < size) return undefined;
  const bytes = Buffer.alloc(size * 4);
  for (let index = 0; index < size; index++) bytes.writeUInt32LE(words[index]!, index * 4);
  return unmapped(bytes);
}

/** ::ffff:1.2.3.4 is 1.2.3.4. */
export function unmapped(address: Uint8Array): Uint8Array {
  const mapped =
    address.length === 16 &&
    address.subarray(0, 10).every((byte) => byte === 0) &&
    address[10] === 0xff &&
    address[11] === 0xff;
  return mapped ? address.subarray(12) : address;
}

export const isAny = (address: Uint8Array): boolean => address.every((byte) => byte === 0);

export const isLinkLocal = (address: Uint8Array): boolean =>
  address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** "yes" when two sockets cannot both have their addresses without sharing; "maybe" when the kernel does not say enough. */
export function overlap(a: Endpoint, b: Endpoint): "yes" | "maybe" | "no" {
  if (a.port !== b.port) return "no";
  if (a.device && b.device && a.device !== b.device) return "no";
  if (a.address.length === b.address.length)
    return isAny(a.address) || isAny(b.address) || same(a.address, b.address) ? "yes" : "no";
  const six = a.address.length === 16 ? a : b;
  if (!isAny(six.address) || six.v6only === true) return "no";
  return six.v6only === undefined ? "maybe" : "yes";
}

export interface SavedSocket {
  entry: InetSkEntry;
  image: string;
  source: Uint8Array;
  destination: Uint8Array;
}

/** IP sockets, with the addresses that they are to have here, that CRIU makes in the network namespace of this machine. */
export function hostSockets(
  context: Pick<Context, "checkpoint" | "namespaces" | "request"> & {
    readonly replaced: Settings["replaceIp"];
  },
): SavedSocket[] {
  const here = (address: Uint8Array) =>
    context.replaced.find(({ from }) => same(from, address))?.to ?? address;
  return filesWith(context.checkpoint, "isk").flatMap(({ isk: entry }): SavedSocket[] => {
    if (!inHostNet(context, entry.ns_id)) return [];
    const source = bytesOf(entry.family, entry.src_addr);
    const destination = bytesOf(entry.family, entry.dst_addr);
    if (source === undefined || destination === undefined) return [];
    const ends = { source: here(source), destination: here(destination) };
    return [{ entry, ...ends, image: `files.img id 0x${entry.id.toString(16)}` }];
  });
}

/** What CRIU takes for a TCP connection, whatever its state. */
export const isConnection = ({ proto, dst_port }: InetSkEntry): boolean =>
  proto === IPPROTO_TCP && dst_port !== 0;

/** Whether connections are restored closed: asked for now, or at the dump, after which the restore must ask for it too. */
export const closesConnections = ({ checkpoint, request }: Context): boolean =>
  request.tcpClose || checkpoint.inventory?.tcp_close === true;

export function endpointOf({ entry, source }: SavedSocket, context: Context): Endpoint {
  const device = entry.opts.so_bound_dev;
  return {
    address: source,
    port: entry.src_port,
    device: device === undefined ? undefined : (context.host.interfaces?.get(device) ?? device),
    v6only: entry.v6only ?? false,
  };
}

export const liveEndpoint = (socket: InetSocket): Endpoint => ({
  address: unmapped(socket.source),
  port: socket.sourcePort,
  device: socket.device,
  v6only: socket.v6only,
});

/** As people write it; an IPv6 address with a port in brackets. */
export function textOf(address: Uint8Array, port?: number): string {
  if (address.length === 4) return `${address.join(".")}${port === undefined ? "" : `:${port}`}`;
  const words = Array.from({ length: 8 }, (_, index) =>
    ((address[index * 2]! << 8) | address[index * 2 + 1]!).toString(16),
  );
  // A URL's host is written in the short form.
  const host = new URL(`http://[${words.join(":")}]/`).hostname;
  return port === undefined ? host.slice(1, -1) : `${host}:${port}`;
}
