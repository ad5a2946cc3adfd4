import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { isConnection, textOf } from "./inet-entries.ts";
import { about } from "./inet.ts";
import { candidates, unbindable, withoutAddress } from "./replacements.ts";

export const tcpAddressMissing: Check = {
  title: "This machine does not have an address of the tree",
  reads: "IP sockets in files.img; whether a socket can be bound to the address here",
  why:
    "A socket is bound to its old address. On another machine, or after the address changed, the kernel refuses. (Of IPv6 CRIU only " +
    "needs it for connections.) Connections could be restored closed, by --tcp-close, which the program then sees; recriu never chooses that.",
  proof: "criu",
  isolate: "net",
  run: (context) =>
    withoutAddress(context).map((saved): Problem => {
      const { entry, source, image } = saved;
      const connection = isConnection(entry);
      const address = textOf(source);
      const device = [...(context.host.interfaces?.keys() ?? [])].find((name) => name !== "lo");
      const others = candidates(context, source).map((each) => textOf(each));
      const other =
        others.length === 0
          ? ""
          : `; or bring its sockets back at another of this machine (${others.join(", ")}): --replace-ip=${address}=ADDRESS`;
      const text = `give this machine the address${connection ? "; or restore connections closed: --tcp-close" : ""}${other}`;
      return {
        ...about("blocker", image, address),
        message: `this machine does not have the address ${address}`,
        criu_message: unbindable(saved),
        remedy: {
          kind: "human",
          text,
          command: sh`ip address add ${address}/${source.length * 8} dev ${[device ?? "lo"]}`,
        },
      };
    }),
};
