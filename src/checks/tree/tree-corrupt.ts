import type { Check, Problem } from "../finding.ts";
import { again, failing, shared } from "./sessions.ts";

export const treeCorrupt: Check = {
  title: "The process tree in the images makes no sense",
  reads: "every entry of pstree.img",
  why:
    "Every task but the first needs a parent before it, and no number may belong to two tasks or threads. CRIU stops at " +
    "the first entry that is otherwise; some make it abort by an assertion.",
  proof: "criu",
  run: (context) =>
    context.checkpoint.pstree.length === 0
      ? [] // image-missing or image-truncated says so
      : failing(context, "corrupt").map(({ task, message, criu_message }): Problem => ({
          ...shared,
          task,
          subject: String(task),
          message,
          criu_message,
          remedy: { ...again, text: "take an intact copy of the images, or dump again" },
        })),
};
