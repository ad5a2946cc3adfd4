import type { Check } from "../finding.ts";
import { about, connections, shown, streamOf } from "./tcp.ts";

export const tcpStreamMissing: Check = {
  title: "The state of a TCP connection was not saved",
  reads: "TCP sockets in files.img, and the names of tcp-stream-*.img",
  why:
    "Sequence numbers and what was on its way are in a file of each connection. It is missing when the dump was made with --tcp-close, " +
    "or the images were copied without it. Then the connection can only be restored closed, which is for the user to say.",
  proof: "criu",
  answers: ["choice"],
  run(context) {
    const { files } = context.checkpoint;
    const lost = connections(context).filter((entry) => !files.has(streamOf(entry)));
    return lost.map((entry) => ({
      ...about("blocker", entry),
      message: `${streamOf(entry)}, the state of the TCP connection ${shown(entry)}, is not there`,
      criu_message: context.request.tcpEstablished
        ? "Unexpected EOF on (empty-image)"
        : "inet: Connected TCP socket in image",
      remedy: {
        kind: "option",
        text: "restore all TCP connections closed",
        option: "--tcp-close",
        automatic: false,
      },
    }));
  },
};
