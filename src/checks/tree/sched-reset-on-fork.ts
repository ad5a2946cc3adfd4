import { policyName, SCHED_RESET_ON_FORK } from "../../sys/sched.ts";
import type { Check, Problem } from "../finding.ts";
import { refused, refusesReset, scheduled } from "./sched.ts";

export const schedResetOnFork: Check = {
  title: "A thread has SCHED_RESET_ON_FORK",
  reads: "sched_policy in core-*.img; the version of CRIU",
  why:
    "CRIU before 4.0 takes the flag for an unknown policy and stops. Browsers and audio servers get it from rtkit. recriu shows such a CRIU " +
    "the policy without it and sets it again before the tree runs. Later versions restore it themselves; that it came back can only be " +
    "seen by sched_getscheduler(2), which the verification asks.",
  proof: "images",
  answers: ["edit", "person"],
  run: (context) =>
    scheduled(context)
      .filter(({ policy, lost }) => (policy & SCHED_RESET_ON_FORK) !== 0 && lost === undefined)
      .map((thread): Problem => {
        const { task, tid, policy, priority } = thread;
        const message = ` priority ${priority}; CRIU ${context.criu?.version} refuses the flag`;
        const text = "give CRIU the policy without the flag, and set it again before the tree runs";
        if (refusesReset(context, thread)) return refused(context, thread, message, text);
        return {
          severity: "info",
          task,
          image: `core-${tid}.img`,
          subject: `thread ${tid}`,
          message: `thread ${tid} ran under ${policyName(policy)} priority ${priority}; it is verified after the restore`,
          remedy: { kind: "human", text: "nothing to do" },
        };
      }),
};
