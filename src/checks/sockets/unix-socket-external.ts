import { SOCK_DGRAM } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { about, imageOf } from "./unix-entries.ts";
import { byIno, outward, shownName } from "./unix-peers.ts";

export const unixSocketExternal: Check = {
  title: "A Unix socket is connected to a process outside the tree",
  reads: "unix sockets in files.img, and --ext-unix-sk",
  why:
    "The other end was not dumped: CRIU connects the socket to the process that has that name now. CRIU wants to be told that this is meant, " +
    "though of a datagram socket only when it is itself connected to from inside the tree. The option changes nothing else, so recriu adds it.",
  proof: "criu",
  answers: ["option"],
  run(context) {
    if (context.request.extUnixSk) return [];
    const queued = new Set([...byIno(context.checkpoint).values()].map(({ peer }) => peer));
    return outward(context)
      .values()
      .flatMap(({ entry, peer }): Problem[] => {
        if (entry.type === SOCK_DGRAM && !queued.has(entry.ino)) return [];
        return [
          {
            ...about("blocker", imageOf(entry)),
            subject: shownName(peer),
            message: `a socket is connected to ${shownName(peer)}, which belongs to a process outside the tree`,
            criu_message:
              "External socket found in image. Consider using the --ext-unix-sk option to allow restoring it.",
            remedy: {
              kind: "option",
              text: "connect it to the process that has that name now",
              option: "--ext-unix-sk",
              automatic: true,
            },
          },
        ];
      });
  },
};
