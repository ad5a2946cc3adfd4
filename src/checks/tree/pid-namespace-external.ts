import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check } from "../finding.ts";
import { externalKey } from "./pid-namespaces.ts";

export const pidNamespaceExternal: Check = {
  title: "The tree's pid namespace has to be handed to CRIU",
  reads: "pidns-*.img, --inherit-fd",
  why:
    "The tree was dumped with --external pid[INODE]:KEY. CRIU restores it into an existing pid namespace, given as an open " +
    "descriptor under the same key; which one that is, only the caller knows.",
  proof: "criu",
  run(context) {
    const key = externalKey(context);
    const { root } = context.checkpoint;
    if (key === undefined || root === undefined) return [];
    const handed = context.request.inheritFds.some((fd) => fd.key === key);
    if (handed && root.pid !== 1) return [];
    return [
      {
        severity: "blocker",
        task: root.pid,
        image: `pidns-${root.ids?.pid_ns_id}.img`,
        subject: key,
        message:
          root.pid === 1
            ? `the root is pid 1, which an existing pid namespace (${key}) has already`
            : `no descriptor of the external pid namespace ${key} was given`,
        criu_message:
          root.pid === 1
            ? "Unable to restore into an empty PID namespace"
            : `Unable to find an external pidns: ${key}`,
        remedy:
          root.pid === 1
            ? { kind: "human", text: "dump it again without --external pid" }
            : {
                kind: "human",
                text: "PID is a process of the namespace: open that as a descriptor, and hand it over",
                command: sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${key}`} 9</proc/PID/ns/pid`,
              },
      },
    ];
  },
};
