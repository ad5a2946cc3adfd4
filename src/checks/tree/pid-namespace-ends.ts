import { sh } from "../../sys/shell.ts";
import { againStaying } from "../again.ts";
import type { Check } from "../finding.ts";

export const pidNamespaceEnds: Check = {
  title: "The tree would be killed as soon as it is restored",
  reads: "whether recriu is process 1; -d (--restore-detached)",
  why:
    "Started as the first process of a pid namespace (`unshare --fork --pid recriu …`, the entry point of a container), recriu is its init, and CRIU is when it is " +
    "started so. When an init ends, the kernel kills all that is in its namespace: with -d it ends as soon as the tree runs, says that all is well, and the tree is gone. Without " +
    "-d it stays until the tree has ended.",
  proof: "harm",
  run(context) {
    const { host, request, checkpoint } = context;
    // A pid namespace of the tree's own is below this one, and is killed with it.
    if (!host.isInit || !request.detached) return [];
    return [
      {
        severity: "blocker",
        task: checkpoint.root?.pid ?? null,
        image: "",
        subject: "-d",
        message:
          "recriu is the first process of this pid namespace: with -d it ends once the tree runs, and then the kernel kills the tree",
        remedy: {
          kind: "human",
          text: "leave -d out: then recriu ends when the tree has ended. Or have an init there that stays (tini, a shell that waits)",
          command: sh`unshare --fork --pid --mount-proc recriu restore ${againStaying(context)}`,
        },
      },
    ];
  },
};
