import { sh } from "../../sys/shell.ts";
import { again, againStaying } from "../again.ts";
import type { Check, Problem, Remedy } from "../finding.ts";
import { imageOf, terminals, unpairedSlaves } from "./terminals.ts";

/** Major numbers of /dev/pts/N. */
const isPts = (device: number) => device >> 8 >= 136 && device >> 8 <= 143;

export const ttyStdin: Check = {
  title: "--shell-job has no terminal to give to the tree",
  reads: "tty-info.img, pstree.img, --shell-job; standard input and controlling terminal of recriu",
  why:
    "With --shell-job the tree's terminal is exchanged for CRIU's standard input. That must be a terminal, and, for a tree whose root leads no " +
    "session, the controlling terminal of CRIU's session: only then may the tree's process group be put into its foreground.",
  proof: "criu",
  run(context) {
    const { checkpoint, request, host } = context;
    const [tty] = unpairedSlaves(terminals(checkpoint, request));
    const [root] = checkpoint.pstree;
    if (root === undefined || !request.shellJob) return [];
    const finding = (message: string, criu_message: string, remedy?: Remedy): Problem => ({
      severity: "blocker",
      task: root.pid,
      image: tty === undefined ? "pstree.img" : imageOf(tty),
      subject: "standard input",
      message,
      criu_message,
      remedy: remedy ?? {
        kind: "human",
        text: request.detached
          ? "call recriu restore on a terminal; or let script(1) make one, without -d: when script ends, its terminal hangs up, and the tree with it"
          : "call it on a terminal, or let script(1) make one",
        command: sh`script -qec ${sh`recriu restore ${againStaying(context)}`} /dev/null`,
      },
    });
    if (request.inheritFds.some(({ fd }) => fd === 0))
      return [
        finding(
          "standard input is handed over by --inherit-fd, and --shell-job wants it too",
          "Can't send fd 0 into store: Bad file descriptor",
          tty === undefined
            ? {
                kind: "human",
                text: "leave --shell-job out: no terminal of the tree needs it",
                command: sh`recriu restore ${again(context)} --no-shell-job`,
              }
            : {
                kind: "human",
                text: "open that file under another number, and hand it over by that: --inherit-fd fd[9]:…",
                command: sh`exec 9<&0`,
              },
        ),
      ];
    if (tty === undefined) return [];
    const { stdin, self } = host;
    if (!stdin.terminal)
      return [
        finding(
          `standard input is no terminal, and is to take the place of ${tty.path}`,
          "Don't have tty to inherit session from, aborting",
        ),
      ];
    if (root.sid === root.pid || self === undefined || self.tty === stdin.device) return [];
    if (!isPts(stdin.device)) return []; // /dev/tty and /dev/console stand for others
    return [
      finding(
        "standard input is a terminal, but not the controlling one of this session",
        "Inappropriate ioctl for device",
      ),
    ];
  },
};
