import type { Check, Problem } from "../finding.ts";
import { differing, made } from "./namespaces.ts";

export const nestedNamespace: Check = {
  title: "A task of the tree has a namespace that its parent has not",
  reads: "namespaces in ids-*.img and inventory.img",
  why:
    "Below the root task CRIU makes only new mount and network namespaces, and those only where the root task has new ones of that kind " +
    "itself. All other namespaces are one for the whole tree.",
  proof: "criu",
  *run(context): Generator<Problem> {
    const { checkpoint } = context;
    const roots = new Set(made(context).map(({ name }) => name));
    const byPid = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
    for (const task of checkpoint.tasks.slice(1)) {
      const wrong = differing(task.ids, byPid.get(task.ppid)?.ids).filter(
        ({ name }) => !((name === "mnt" || name === "net") && roots.has(name)),
      );
      if (wrong.length === 0) continue;
      yield {
        severity: "blocker",
        task: task.pid,
        image: `ids-${task.pid}.img`,
        subject: wrong.map(({ name }) => name).join(","),
        message: `task ${task.pid} has other namespaces (${wrong.map(({ name }) => name).join(", ")}) than its parent ${task.ppid}`,
        criu_message: "Can't restore sub-task in NS",
        remedy: {
          kind: "human",
          text: `no restore can do it: dump task ${task.pid} as a tree of its own`,
        },
      };
    }
  },
};
