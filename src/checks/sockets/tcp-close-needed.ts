import type { Check } from "../finding.ts";

export const tcpCloseNeeded: Check = {
  title: "The tree was dumped with --tcp-close",
  reads: "tcp_close in inventory.img; --tcp-close",
  why:
    "With --tcp-close a dump leaves the state of TCP connections out, and CRIU wants to be told at the restore too that they are lost. " +
    "Whoever restores must know that peers will see them closed, so recriu does not say it in his place.",
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
