import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { priorityFor, refused, scheduled } from "./sched.ts";

export const schedPriorityLost: Check = {
  title: "A real-time thread's priority is not in the images",
  reads: "sched_policy and sched_prio in core-*.img; --sched-prio",
  why:
    "CRIU before 4.0 did not recognise SCHED_FIFO and SCHED_RR with SCHED_RESET_ON_FORK when it dumped, and left the priority out. " +
    "Every CRIU refuses priority 0 for them. recriu takes the one that --sched-prio=N names, else 1, the lowest.",
  proof: "criu",
  answers: ["edit"],
  run: (context) =>
    scheduled(context)
      .filter(({ lost }) => lost === "priority")
      .map((thread) =>
        refused(
          context,
          thread,
          `, but its priority was not saved; it is taken as ${priorityFor(context)}`,
          context.settings.schedPrio === undefined
            ? "give it the lowest priority; --sched-prio=N names another, 1 to 99"
            : "give it the priority that --sched-prio names",
          context.settings.schedPrio === undefined ? sh`--sched-prio=N` : null,
        ),
      ),
};
