import { IPPROTO_UDP } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { endpointOf, IPPROTO_UDPLITE, liveEndpoint, overlap, textOf } from "./inet-entries.ts";
import { about, bound, livePorts, ownerRemedy, ownerText } from "./inet.ts";

export const udpPortBusy: Check = {
  title: "Somebody else has a UDP port of the tree",
  reads: "UDP sockets in files.img; those of this machine: sock_diag(7), pidfd_getfd(2)",
  why:
    "A UDP port is one socket's, unless all that have it allow sharing. CRIU allows it on every socket for the moment, so that the bind " +
    "succeeds where the other one allows it; then one of the two gets the datagrams of both.",
  proof: "criu",
  waits: true,
  isolate: "net",
  run(context) {
    const live = livePorts(context);
    return bound(context, [IPPROTO_UDP, IPPROTO_UDPLITE])
      .values()
      .flatMap((saved): Problem[] => {
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
              ...about(sure ? "blocker" : "warning", image, port),
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
