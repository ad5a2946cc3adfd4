import type { Check } from "../finding.ts";
import { externalKey } from "./pid-namespaces.ts";

export const pidNamespaceInit: Check = {
  title: "The tree and its pid namespace do not fit together",
  reads: "pstree.img, ids-*.img, inventory.img, pidns-*.img",
  why:
    "CRIU makes a pid namespace only together with its init, pid 1, and restores a pid 1 only into a new namespace. Anything else has to be " +
    "dumped with --external pid[INODE]:KEY and restored into an existing namespace.",
  proof: "criu",
  run(context) {
    const { checkpoint, namespaces } = context;
    const pid = checkpoint.root?.pid;
    if (pid === undefined || (pid === 1) === namespaces.created.pid) return [];
    if (externalKey(context) !== undefined) return [];
    return [
      {
        severity: "blocker",
        task: pid,
        image: `ids-${pid}.img`,
        subject: `task ${pid}`,
        message:
          pid === 1
            ? "the root is pid 1, and was dumped from inside its own pid namespace"
            : `the pid namespace was not that of CRIU, and its init is not in the images: the root is ${pid}`,
        criu_message:
          pid === 1
            ? "This process tree can only be restored in a new pid namespace."
            : "Can't restore pid namespace without the process init",
        remedy: {
          kind: "human",
          text:
            pid === 1
              ? "dump it again from outside of its pid namespace"
              : "dump it again with its init, or with --external pid[INODE]:KEY to restore it into an existing namespace",
        },
      },
    ];
  },
};
