/** Options of IP, IPv6, TCP and packet sockets, on sockets of this process: each is told by its name where it differs. */
import { afterAll, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { ptr } from "bun:ffi";
import { call } from "../../src/sys/libc.ts";
import { socketOptions } from "../../src/verify/socket-options.ts";
import { said, type Scene } from "./tree.ts";

const SYS_socket = process.arch === "x64" ? 41n : 198n;
const made: number[] = [];
function socket(family: bigint, type: bigint, protocol = 0n): number {
  const fd = call((c) => c.syscall(SYS_socket, family, type, protocol, 0n, 0n, 0n));
  if (fd < 0) throw new Error(`socket: ${fd}`);
  made.push(fd);
  return fd;
}
afterAll(() => made.forEach((fd) => closeSync(fd)));

const [AF_INET, AF_INET6, AF_PACKET, STREAM, DGRAM, RAW] = [2n, 10n, 17n, 1n, 2n, 3n];
const NO_TIME = {
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
};

/** Names of the differences, and what is there, of a socket saved so. */
function differing(fd: number, entry: object): [name: string, saved: string, found: string][] {
  const lines = said(socketOptions, {
    saved: [{ fds: [{ fd, id: 7, flags: 0 }] }],
    now: { 10: { real: true } },
    checkpoint: { openFiles: new Map([[7, entry]]) },
  } as Scene);
  return lines.map((line) => {
    const [, name, saved, found] = /^fatal (\S+) of descriptor \d+: (\S+), (\S+)$/.exec(line)!;
    return [name!, saved!, found!];
  });
}

const inet = (family: bigint, proto: number, more: object) => ({
  isk: {
    family: Number(family),
    proto,
    dst_port: 0,
    src_addr: [0],
    v6only: false,
    opts: NO_TIME,
    ...more,
  },
});
const OTHER = 4711;

/** What an entry is saved as, the fields that name its options, and how the differences are called. */
const kinds: [
  what: string,
  fd: () => number,
  entry: (saved: (name: string) => number) => object,
  names: string[],
][] = [
  [
    "IP",
    () => socket(AF_INET, DGRAM),
    (saved) =>
      inet(AF_INET, 17, {
        ip_opts: {
          tos: saved("IP_TOS"),
          ttl: saved("IP_TTL"),
          pktinfo: saved("IP_PKTINFO"),
          freebind: saved("IP_FREEBIND"),
        },
      }),
    ["IP_TOS", "IP_TTL", "IP_PKTINFO", "IP_FREEBIND"],
  ],
  [
    "IPv6",
    () => socket(AF_INET6, DGRAM),
    (saved) =>
      inet(AF_INET6, 17, {
        v6only: saved("IPV6_V6ONLY"),
        ip_opts: { pktinfo: saved("IPV6_RECVPKTINFO"), freebind: saved("IPV6_FREEBIND") },
      }),
    ["IPV6_V6ONLY", "IPV6_RECVPKTINFO", "IPV6_FREEBIND"],
  ],
  [
    "TCP",
    () => socket(AF_INET, STREAM),
    (saved) =>
      inet(AF_INET, 6, {
        tcp_opts: {
          nodelay: saved("TCP_NODELAY"),
          cork: saved("TCP_CORK"),
          keepidle: saved("TCP_KEEPIDLE"),
          keepintvl: saved("TCP_KEEPINTVL"),
          keepcnt: saved("TCP_KEEPCNT"),
        },
      }),
    ["TCP_NODELAY", "TCP_CORK", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"],
  ],
  [
    "packet",
    () => socket(AF_PACKET, RAW),
    (saved) => ({
      psk: {
        aux_data: saved("PACKET_AUXDATA"),
        orig_dev: saved("PACKET_ORIGDEV"),
        version: saved("PACKET_VERSION"),
        reserve: saved("PACKET_RESERVE"),
        loss: saved("PACKET_LOSS"),
        vnet_hdr: saved("PACKET_VNET_HDR"),
        timestamp: saved("PACKET_TIMESTAMP"),
        opts: NO_TIME,
      },
    }),
    ["AUXDATA", "ORIGDEV", "VERSION", "RESERVE", "LOSS", "VNET_HDR", "TIMESTAMP"].map(
      (name) => `PACKET_${name}`,
    ),
  ],
];

for (const [what, make, entry, names] of kinds)
  test(`${what}: every option, by its own number`, () => {
    const fd = make();
    const all = differing(
      fd,
      entry(() => OTHER),
    );
    expect(all.map(([name]) => name)).toEqual(names);
    const found = new Map(all.map(([name, , value]) => [name, Number(value)]));
    expect(
      differing(
        fd,
        entry((name) => found.get(name)!),
      ),
    ).toEqual([]);
    for (const name of names) {
      const one = differing(
        fd,
        entry((each) => (each === name ? OTHER : found.get(each)!)),
      );
      expect(one).toEqual([[name, String(OTHER), String(found.get(name))]]);
    }
  });

/** Level and number of each option (linux/in.h, in6.h, tcp.h, if_packet.h), and a value that it does not have of itself. */
const numbers: Record<string, [level: bigint, option: bigint, value: number]> = {
  IP_TOS: [0n, 1n, 16],
  IP_TTL: [0n, 2n, 77],
  IP_PKTINFO: [0n, 8n, 1],
  IP_FREEBIND: [0n, 15n, 1],
  IPV6_V6ONLY: [41n, 26n, 1],
  IPV6_RECVPKTINFO: [41n, 49n, 1],
  IPV6_FREEBIND: [41n, 78n, 1],
  TCP_NODELAY: [6n, 1n, 1],
  TCP_CORK: [6n, 3n, 1],
  TCP_KEEPIDLE: [6n, 4n, 77],
  TCP_KEEPINTVL: [6n, 5n, 78],
  TCP_KEEPCNT: [6n, 6n, 9],
  PACKET_AUXDATA: [263n, 8n, 1],
  PACKET_ORIGDEV: [263n, 9n, 1],
  PACKET_VERSION: [263n, 10n, 1],
  PACKET_RESERVE: [263n, 12n, 16],
  PACKET_LOSS: [263n, 14n, 1],
  PACKET_VNET_HDR: [263n, 15n, 1],
  PACKET_TIMESTAMP: [263n, 17n, 64],
};
const SYS_setsockopt = process.arch === "x64" ? 54n : 208n;

for (const [what, make, entry, names] of kinds)
  test(`${what}: what is set by a number is seen by that name`, () => {
    for (const name of names) {
      const fd = make();
      const [level, option, value] = numbers[name]!;
      const at = BigInt(ptr(Int32Array.of(value)));
      expect(call((c) => c.syscall(SYS_setsockopt, BigInt(fd), level, option, at, 4n, 0n))).toBe(0);
      const seen = new Map(
        differing(
          fd,
          entry(() => OTHER),
        ).map(([each, , now]) => [each, now]),
      );
      expect([name, seen.get(name)]).toEqual([name, String(value)]);
    }
  });

test("old images have the keepalive of TCP with the other options", () => {
  const fd = socket(AF_INET, STREAM);
  const opts = { ...NO_TIME, tcp_keepidle: OTHER, tcp_keepintvl: OTHER, tcp_keepcnt: OTHER };
  const found = differing(fd, inet(AF_INET, 6, { opts })).map(([name]) => name);
  expect(found).toEqual(["TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"]);
});
