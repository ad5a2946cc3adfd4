import type { Check, Problem } from "../finding.ts";
import { again, failing, shared } from "./sessions.ts";

export const sessionLeaderMissing: Check = {
  title: "The leader of a task's session is not among its ancestors",
  reads: "every entry of pstree.img",
  why:
    "A session can only be inherited or made. A task that does not lead its session must be born below the leader, and CRIU " +
    "stands in for a lost parent only directly below the root.",
  proof: "criu",
  run: (context) =>
    failing(context, "no leader").map(({ task, message, criu_message }): Problem => ({
      ...shared,
      task,
      subject: String(task),
      message,
      criu_message,
      remedy: again,
    })),
};
