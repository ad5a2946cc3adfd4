/** Options of sockets that CRIU saves (sockets.c, socket(7)), read from a copy of each descriptor. */
import type { FileEntry } from "../image/index.ts";
import { borrow, SOL_SOCKET, socketOption } from "../sys/descriptors.ts";
import { AF_INET6, IPPROTO_TCP } from "../sys/linux.ts";
import type { Facet } from "./facet.ts";

type Options = NonNullable<FileEntry["isk"]>["opts"];

/** SO_* of 4 bytes by their numbers, asm-generic/socket.h. */
const plain: [keyof Options & string, number][] = [
  ["so_sndbuf", 7],
  ["so_rcvbuf", 8],
  ["so_priority", 12],
  ["so_rcvlowat", 18],
  ["so_mark", 36],
  ["so_passcred", 16],
  ["so_passsec", 34],
  ["so_dontroute", 5],
  ["so_no_check", 11],
  ["so_broadcast", 6],
  ["so_keepalive", 9],
  ["so_oobinline", 10],
];
/** CRIU sets them on every IP socket for the bind, and sets them back, but on connections (sk-inet.c, post_open_inet_sk). */
const reusing: typeof plain = [
  ["reuseaddr", 2],
  ["so_reuseport", 15],
];
const SOL_IP = 0;
const SOL_IPV6 = 41;
const SOL_PACKET = 263;
const SO_BINDTODEVICE = 25;
const IFNAMSIZ = 16;
const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;

/** Options of one protocol, all of 4 bytes: name, level, number (linux/in.h, in6.h, tcp.h, if_packet.h), what was saved. */
type Option = [name: string, level: number, option: number, saved: number | boolean | undefined];

function optionsOf({ isk, psk }: FileEntry): Option[] {
  if (psk !== undefined)
    return [
      ["PACKET_AUXDATA", SOL_PACKET, 8, psk.aux_data],
      ["PACKET_ORIGDEV", SOL_PACKET, 9, psk.orig_dev],
      ["PACKET_VERSION", SOL_PACKET, 10, psk.version],
      ["PACKET_RESERVE", SOL_PACKET, 12, psk.reserve],
      ["PACKET_LOSS", SOL_PACKET, 14, psk.loss],
      ["PACKET_VNET_HDR", SOL_PACKET, 15, psk.vnet_hdr],
      ["PACKET_TIMESTAMP", SOL_PACKET, 17, psk.timestamp],
    ];
  if (isk === undefined) return [];
  const { ip_opts, tcp_opts, opts } = isk;
  const tcp: Option[] = [
    ["TCP_NODELAY", IPPROTO_TCP, 1, tcp_opts?.nodelay],
    ["TCP_CORK", IPPROTO_TCP, 3, tcp_opts?.cork],
    ["TCP_KEEPIDLE", IPPROTO_TCP, 4, tcp_opts?.keepidle ?? opts.tcp_keepidle],
    ["TCP_KEEPINTVL", IPPROTO_TCP, 5, tcp_opts?.keepintvl ?? opts.tcp_keepintvl],
    ["TCP_KEEPCNT", IPPROTO_TCP, 6, tcp_opts?.keepcnt ?? opts.tcp_keepcnt],
  ];
  const ip: Option[] =
    isk.family === AF_INET6
      ? [
          // bind(2) to an address sets it (af_inet6.c), and CRIU binds what had only been connected.
          [
            "IPV6_V6ONLY",
            SOL_IPV6,
            26,
            isk.v6only || !isk.src_addr.some(Boolean) ? isk.v6only : undefined,
          ],
          ["IPV6_RECVPKTINFO", SOL_IPV6, 49, ip_opts?.pktinfo],
          ["IPV6_FREEBIND", SOL_IPV6, 78, ip_opts?.freebind],
        ]
      : [
          ["IP_TOS", SOL_IP, 1, ip_opts?.tos],
          ["IP_TTL", SOL_IP, 2, ip_opts?.ttl],
          ["IP_PKTINFO", SOL_IP, 8, ip_opts?.pktinfo],
          ["IP_FREEBIND", SOL_IP, 15, ip_opts?.freebind],
        ];
  return [...ip, ...(isk.proto === IPPROTO_TCP ? tcp : [])];
}

export const socketOptions: Facet = {
  id: "socket options",
  final: "state",
  moving: true,
  compare({ checkpoint, live, request }, { same, leftOut }) {
    const seen = new Set<number>();
    for (const { task, pid } of live.tasks.values()) {
      for (const { id, fd } of task.fds) {
        const file = checkpoint.openFiles.get(id);
        const opts = file && (file.isk ?? file.usk ?? file.nlsk ?? file.psk)?.opts;
        if (opts === undefined || seen.has(id)) continue;
        seen.add(id);
        if (request.inheritFds.length > 0) {
          leftOut("options of sockets, as --inherit-fd gives some");
          continue;
        }
        const connection = file?.isk?.proto === IPPROTO_TCP && file.isk.dst_port !== 0;
        // A closed connection is a new socket, with options of its own.
        if (connection && request.tcpClose) {
          leftOut("options of TCP connections closed by --tcp-close");
          continue;
        }
        const reuse = file?.isk !== undefined && !connection;
        const asked = borrow(pid, fd, (copy) => {
          const compare = (
            name: string,
            saved: string | number,
            option: number,
            bytes: number,
            level = SOL_SOCKET,
          ) => {
            const now = socketOption(copy, level, option, bytes);
            if (now === undefined) return leftOut("options that this socket does not tell");
            same(task.pid, `${name} of descriptor ${fd}`, saved, shown(now));
          };
          for (const [name, option] of reuse ? [...plain, ...reusing] : plain) {
            const saved = opts[name];
            if (saved !== undefined) compare(name, even(name, Number(saved)), option, 4);
          }
          for (const [name, level, option, saved] of optionsOf(file!))
            if (saved !== undefined) compare(name, Number(saved), option, 4, level);
          if (opts.so_bound_dev !== undefined) {
            const device = socketOption(copy, SOL_SOCKET, SO_BINDTODEVICE, IFNAMSIZ);
            const now = device?.toString().replace(/\0.*$/s, "");
            same(task.pid, `SO_BINDTODEVICE of descriptor ${fd}`, opts.so_bound_dev, now);
          }
          if (opts.so_linger !== undefined)
            compare("so_linger", `1 ${opts.so_linger}`, SO_LINGER, 8);
          const { so_snd_tmo_sec, so_snd_tmo_usec, so_rcv_tmo_sec, so_rcv_tmo_usec } = opts;
          compare("so_sndtimeo", `${so_snd_tmo_sec}.${so_snd_tmo_usec}`, SO_SNDTIMEO, 16);
          compare("so_rcvtimeo", `${so_rcv_tmo_sec}.${so_rcv_tmo_usec}`, SO_RCVTIMEO, 16);
          return true;
        });
        if (asked === undefined) leftOut("options of sockets: no copy (pidfd_getfd)");
      }
    }
  },
};

/** CRIU gives half the size of a buffer, which the kernel doubles. */
const even = (name: string, value: number): number =>
  name.endsWith("buf") ? Math.floor(value / 2) * 2 : value;

/** An int, a struct linger or a struct timeval. */
function shown(value: Buffer): string {
  if (value.length === 4) return String(value.readInt32LE(0));
  if (value.length === 8) return `${value.readInt32LE(0)} ${value.readInt32LE(4)}`;
  return `${value.readBigInt64LE(0)}.${value.readBigInt64LE(8)}`;
}
