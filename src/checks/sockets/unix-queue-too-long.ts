import { SOCK_DGRAM } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { about, inHostNet, nameOf } from "./unix-entries.ts";
import { byIno, shownName } from "./unix-peers.ts";

export const unixQueueTooLong: Check = {
  title: "More datagrams wait in a Unix socket than this machine lets wait",
  reads: "sk-queues.img, unix sockets in files.img; net.unix.max_dgram_qlen",
  why:
    "CRIU sends every waiting datagram again. A datagram socket takes one more than net.unix.max_dgram_qlen, as that was when " +
    "the socket was made: at the restore, that of this machine.",
  proof: "criu",
  answers: ["host", "person"],
  run(context) {
    const { checkpoint, host } = context;
    const limit = Number(host.read("/proc/sys/net/unix/max_dgram_qlen")?.trim());
    if (!Number.isFinite(limit)) return [];
    const waiting = new Map<number, number>();
    for (const { id_for } of checkpoint.socketQueues)
      waiting.set(id_for, (waiting.get(id_for) ?? 0) + 1);
    const sockets = byIno(checkpoint);
    return sockets.values().flatMap((usk): Problem[] => {
      if (usk.type !== SOCK_DGRAM || !inHostNet(context, usk.ns_id)) return [];
      const count = waiting.get(usk.id) ?? 0;
      // Two sockets connected to each other have no such limit.
      if (count <= limit + 1 || sockets.get(usk.peer)?.peer === usk.ino) return [];
      const subject = nameOf(usk) === undefined ? `socket:[${usk.ino}]` : shownName(usk);
      return [
        {
          ...about("blocker", "sk-queues.img"),
          subject,
          message: `${count} datagrams wait in the Unix socket ${subject}; net.unix.max_dgram_qlen lets ${limit + 1} wait`,
          criu_message: "Failed to send packet: Resource temporarily unavailable",
          remedy: raised("net/unix/max_dgram_qlen", {
            from: limit,
            to: count,
            stays: false,
            text: `raise net.unix.max_dgram_qlen to ${count} for the restore`,
          }),
        },
      ];
    });
  },
};
