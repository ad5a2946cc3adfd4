import type { Check } from "../finding.ts";
import { about, connections, shown, streamOf } from "./tcp.ts";

export const tcpEstablished: Check = {
  title: "There are TCP connections, and nothing says what becomes of them",
  reads: "TCP sockets in files.img, --tcp-established and --tcp-close",
  why:
    "CRIU wants to be told. --tcp-established brings connections back as they were: right when the address is the same and nothing has " +
    "answered for it meanwhile; recriu adds it, as it loses nothing. --tcp-close restores them closed, which the program sees.",
  proof: "criu",
  answers: ["option"],
  run(context) {
    const { request, checkpoint } = context;
    if (request.tcpEstablished) return [];
    const [first, ...others] = connections(context).filter((entry) =>
      checkpoint.files.has(streamOf(entry)),
    );
    if (first === undefined) return [];
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    return [
      {
        ...about("blocker", first),
        message: `the TCP connection ${shown(first)}${more} cannot be restored without --tcp-established`,
        criu_message: "inet: Connected TCP socket in image",
        remedy: {
          kind: "option",
          text: "bring the connections back as they were (or --tcp-close: closed)",
          option: "--tcp-established",
          automatic: !request.explicit.has("tcp-established") && !request.explicit.has("tcp-close"),
        },
      },
    ];
  },
};
