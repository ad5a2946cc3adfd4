import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { refused, scheduled } from "./sched.ts";

export const schedDeadline: Check = {
  title: "A thread's scheduling policy is one that CRIU does not know",
  reads: "sched_policy in core-*.img",
  why:
    "CRIU dumps a thread under SCHED_DEADLINE or SCHED_EXT without complaint, but leaves the runtime, deadline and period out, and refuses " +
    "the policy when it restores. recriu lets such a thread come back under SCHED_OTHER with its nice value; SCHED_EXT it sets again where " +
    "the kernel has it. The program that gave the thread its deadline has to give it again.",
  proof: "criu",
  answers: ["edit", "person"],
  run: (context) =>
    scheduled(context)
      .filter(({ lost }) => lost === "policy")
      .map((thread) =>
        refused(
          context,
          thread,
          ", which CRIU cannot restore: its parameters are not in the images",
          "let it come back under SCHED_OTHER; give it its parameters again after the restore",
          sh`chrt --deadline --sched-runtime NS --sched-deadline NS --sched-period NS -p 0 ${thread.tid}`,
        ),
      ),
};
