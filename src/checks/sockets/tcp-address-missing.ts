import { EADDRNOTAVAIL } from "../../sys/errno.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import {
  closesConnections,
  hostSockets,
  isAny,
  isConnection,
  isLinkLocal,
  textOf,
} from "./inet-entries.ts";
import { about } from "./inet.ts";

export const tcpAddressMissing: Check = {
  title: "This machine does not have an address of the tree",
  reads: "IP sockets in files.img; whether a socket can be bound to the address here",
  why:
    "A socket is bound to its old address. On another machine, or after the address changed, the kernel refuses. (Of IPv6 CRIU only " +
    "needs it for connections.) Connections could be restored closed, by --tcp-close, which the program then sees; recriu never chooses that.",
  proof: "criu",
  run(context) {
    const asked = new Map<string, number>();
    return hostSockets(context)
      .values()
      .flatMap(({ entry, source, image }): Problem[] => {
        const connection = isConnection(entry);
        if (connection && closesConnections(context)) return [];
        const wanted = connection || (entry.src_port !== 0 && source.length === 4);
        if (!wanted || isAny(source) || isLinkLocal(source)) return [];
        // IPv6 sockets are bound with IP_FREEBIND, with IPv4 addresses too.
        if (!connection && entry.family !== 2) return [];
        const address = textOf(source);
        let errno = asked.get(address);
        if (errno !== undefined) return [];
        asked.set(address, (errno = context.host.bindAddress(source)));
        if (errno !== -EADDRNOTAVAIL) return [];
        const device = [...(context.host.interfaces?.keys() ?? [])].find((name) => name !== "lo");
        const text = `give this machine the address${connection ? "; or restore connections closed: --tcp-close" : ""}`;
        return [
          {
            ...about("blocker", image, address),
            message: `this machine does not have the address ${address}`,
            criu_message: connection
              ? "Can't bind inet socket back: Cannot assign requested address"
              : `inet: Can't bind inet socket (id ${entry.id}): Cannot assign requested address`,
            remedy: {
              kind: "human",
              text,
              command: sh`ip address add ${address}/${source.length * 8} dev ${[device ?? "lo"]}`,
            },
          },
        ];
      });
  },
};
