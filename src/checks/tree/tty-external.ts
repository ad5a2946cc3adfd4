import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check } from "../finding.ts";
import { imageOf, terminals } from "./terminals.ts";

export const ttyExternal: Check = {
  title: "A terminal has to be handed to CRIU",
  reads: "tty-info.img, --inherit-fd",
  why:
    "The tree was dumped with --external tty[RDEV:DEV]: the terminal is outside of the tree, and CRIU wants it as an open descriptor under the " +
    "same name. Which terminal that shall be, only the caller knows.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    const handed = new Set(request.inheritFds.map((fd) => fd.key));
    return terminals(checkpoint, request)
      .filter(({ wasExternal, key }) => wasExternal && !handed.has(key))
      .map((tty) => ({
        severity: "blocker",
        image: imageOf(tty),
        subject: tty.key,
        message: `no descriptor was given for the terminal ${tty.key}, which is external`,
        criu_message:
          tty.kind === "external" ? null : "Deprecated functionality (TTY w/o regfile) rejected.",
        remedy: {
          kind: "human",
          text: "open the terminal that takes its place, /dev/pts/N, and hand it over",
          command: sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${tty.key}`} 9<>/dev/pts/N`,
        },
      }));
  },
};
