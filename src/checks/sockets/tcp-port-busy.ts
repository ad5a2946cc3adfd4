import { IPPROTO_TCP, TCP_LISTEN } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { endpointOf, liveEndpoint, overlap, textOf } from "./inet-entries.ts";
import { about, bound, livePorts, ownerRemedy, ownerText } from "./inet.ts";

export const tcpPortBusy: Check = {
  title: "Somebody else listens on a TCP port of the tree",
  reads: "TCP sockets in files.img; the listeners of this machine: sock_diag(7)",
  why:
    "Two cannot listen on one port. And when the other one allows sharing (SO_REUSEPORT) it is worse: CRIU sets that option on every socket " +
    "for the moment, the bind succeeds, and from then on the kernel gives each of the two servers a part of the connections.",
  proof: "criu",
  waits: true,
  isolate: "net",
  run(context) {
    const live = livePorts(context);
    return bound(context, [IPPROTO_TCP])
      .values()
      .flatMap((saved): Problem[] => {
        const { entry, image } = saved;
        const endpoint = endpointOf(saved, context);
        for (const other of live(IPPROTO_TCP, entry.src_port)) {
          if (other.state !== TCP_LISTEN) continue;
          const conflict = overlap(endpoint, liveEndpoint(other));
          if (conflict === "no") continue;
          const owner = context.host.ownerOf(other.inode);
          const shares = context.host.reuseOf(owner)?.port;
          // Servers that both want to share a port are meant to.
          if (entry.opts.so_reuseport === true && shares === true) continue;
          const sure = conflict === "yes" && (shares !== undefined || !entry.opts.so_reuseport);
          const port = `TCP ${textOf(saved.source, entry.src_port)}`;
          return [
            {
              ...about(sure ? "blocker" : "warning", image, port),
              message: `${port} is taken: ${ownerText(context, other)} listens on ${textOf(liveEndpoint(other).address, other.sourcePort)}${shares ? ", and shares it: connections would go now to one, now to the other" : ""}`,
              criu_message: shares
                ? null
                : `inet: Can't bind inet socket (id ${entry.id}): Address already in use`,
              remedy: ownerRemedy(context, other, "tcp"),
            },
          ];
        }
        return [];
      });
  },
};
