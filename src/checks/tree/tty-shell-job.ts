import type { Check } from "../finding.ts";
import { exchanges, imageOf, terminals, type Tty, unpairedSlaves } from "./terminals.ts";
import { withoutTerminal } from "./tty-controlling.ts";

export const ttyShellJob: Check = {
  title: "A terminal's other end is outside of the tree",
  reads: "tty-info.img, files.img, --shell-job, orphan_pts_master of a runtime's request",
  why:
    "The tree runs on a terminal that belongs to a terminal emulator, sshd or tmux outside of the images. CRIU cannot make that again; with " +
    "--shell-job the terminal on CRIU's standard input takes its place, one for the whole tree. recriu does not add the option itself: " +
    "only the caller can say which terminal the tree shall have.",
  proof: "criu",
  answers: ["choice", "person"],
  run(context) {
    const { checkpoint, request } = context;
    const unpaired = unpairedSlaves(terminals(checkpoint, request));
    const [first, second] = unpaired;
    if (first === undefined || (exchanges(request) && second === undefined)) return [];
    // With the terminal handed over, as /dev/tty wants it there, the option is not needed (tty-controlling).
    if (
      second === undefined &&
      withoutTerminal(context).some(({ task }) => task.sid === first.info.sid)
    )
      return [];
    const shared = { severity: "blocker" } as const;
    const index = (tty: Tty) => tty.info.id >> 1;
    if (second !== undefined)
      return [
        {
          ...shared,
          image: imageOf(second),
          subject: second.path ?? "terminal",
          message: `the tree runs on ${unpaired.length} terminals of outside; CRIU can exchange only one`,
          criu_message: exchanges(request)
            ? `Only one slave external peer is allowed (index ${index(second)})`
            : `Found slave peer index ${index(first)} without correspond master peer`,
          remedy: {
            kind: "human",
            text: "dump again with --external tty[RDEV:DEV] for each, and hand each over by --inherit-fd",
          },
        },
      ];
    return [
      {
        ...shared,
        image: imageOf(first),
        subject: first.path ?? "terminal",
        message: `the tree runs on the terminal ${first.path ?? index(first)}, whose other end is not in the images`,
        criu_message: `Found slave peer index ${index(first)} without correspond master peer`,
        remedy: {
          kind: "option",
          text: "restore it on the terminal that it shall have",
          option: "--shell-job",
          automatic: false,
        },
      },
    ];
  },
};
