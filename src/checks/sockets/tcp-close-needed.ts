import type { Check } from "../finding.ts";

export const tcpCloseNeeded: Check = {
  title: "The tree was dumped with --tcp-close",
  reads: "tcp_close in inventory.img; --tcp-close",
  why:
    "With --tcp-close a dump leaves the state of TCP connections out, and CRIU wants to be told at the restore too that they are lost. " +
    "The peers will see the connections closed. That is for the caller to decide, so recriu does not add the option.",
  proof: "criu",
  answers: ["choice"],
  run: ({ checkpoint, request }) =>
    !checkpoint.inventory?.tcp_close || request.tcpClose
      ? []
      : [
          {
            image: "inventory.img",
            severity: "blocker",
            subject: "--tcp-close",
            message: "the tree was dumped with --tcp-close: its TCP connections were not saved",
            criu_message: "Need to set the --tcp-close options.",
            remedy: {
              kind: "option",
              text: "restore it with closed connections; the images hold no others",
              option: "--tcp-close",
              automatic: false,
            },
          },
        ],
};
