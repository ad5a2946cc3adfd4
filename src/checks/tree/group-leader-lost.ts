import type { Check, Problem } from "../finding.ts";
import { losesGroup, runsAsShellJob, stuckIn } from "./jobs.ts";
import { shared } from "./sessions.ts";

export const groupLeaderLost: Check = {
  title: "A task's process group is one that its leader has left",
  reads:
    "pid, pgid and sid of every entry of pstree.img; the process group of recriu, in which CRIU runs",
  why:
    "CRIU has a task join its process group once the leader says that it made it. A leader that has left its group for another, as programs " +
    "that play shell do, never says so: the restore stands still without a word, or, as CRIU keeps the mark where that leader has an address " +
    "and may take the one for the other, the task goes on and finds no such group. Which of the two is chance.",
  proof: "harm",
  run: (context) =>
    context.request.shellJob || !losesGroup(context)
      ? stuckIn(context, runsAsShellJob(context)).map(({ pid, pgid }): Problem => ({
          ...shared,
          task: pid,
          subject: `task ${pid}`,
          message: `task ${pid} waits for ever for its process group ${pgid}, whose leader is in another by now, or does not find it`,
          criu_message: "Can't restore pgid",
          remedy: {
            kind: "human",
            text: "let the leader go back into its group, or the members leave it (setpgid(2)), and dump again",
          },
        }))
      : [], // shell-job-session says it
};
