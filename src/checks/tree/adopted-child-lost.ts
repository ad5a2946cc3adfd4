import type { Check, Problem } from "../finding.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";

export const adoptedChildLost: Check = {
  title: "A child that the root adopted comes back without it",
  reads: "every entry of pstree.img",
  why:
    "The root adopted this child, which was born deeper, in a session of others, when its parent ended. CRIU has a helper bear it; the " +
    "helper ends, and the kernel gives the child to the init of the pid namespace. Only where the root is that init the tree is whole " +
    "again. CRIU says nothing. The root is not told any more when that child ends.",
  proof: "harm",
  blocks: false,
  run(context) {
    const { checkpoint } = context;
    const root = checkpoint.root?.pid;
    const tree = treeOf(context, runsAsShellJob(context));
    if (!tree.ok || root === 1) return [];
    return [...tree.nodes.values()]
      .filter(({ state, parent }) => state === "task" && parent?.state === "helper")
      .map(({ pid: task }): Problem => ({
        severity: "warning",
        task,
        image: "pstree.img",
        subject: `task ${task}`,
        message: `task ${task} is a child that the root ${root} adopted; it will not be its child any more`,
        remedy: {
          kind: "human",
          text: "dump the tree in a pid namespace with its init, where the root has it back",
        },
      }));
  },
};
