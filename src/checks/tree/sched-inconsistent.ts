import {
  basePolicy,
  policyName,
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_EXT,
  SCHED_IDLE,
  SCHED_OTHER,
} from "../../sys/sched.ts";
import type { Check, Problem } from "../finding.ts";
import { realtime } from "./sched.ts";
import { schedMessage, scheduled } from "./sched.ts";

const ordinary = [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE];

const policies = new Set([...ordinary, ...realtime, SCHED_DEADLINE, SCHED_EXT]);

export const schedInconsistent: Check = {
  title: "A thread's policy, nice value or priority is none that a kernel has",
  reads: "sched_policy, sched_prio and sched_nice in core-*.img",
  why: "CRIU refuses an unknown policy, a nice value outside of -20 to 19, a real-time priority above 99 and any priority under another policy. No kernel has such: the image is damaged.",
  proof: "criu",
  answers: ["edit", "person"],
  run: (context) =>
    scheduled(context)
      .values()
      .flatMap((thread): Problem[] => {
        const { policy, nice, priority, task, tid } = thread;
        const base = basePolicy(policy);
        const bad =
          !policies.has(base) ||
          nice < -20 ||
          nice > 19 ||
          (ordinary.includes(base) && priority !== 0) ||
          (realtime.includes(base) && priority > 99);
        if (!bad) return [];
        return [
          {
            severity: "blocker",
            task,
            image: `core-${tid}.img`,
            subject: `thread ${tid}`,
            message: `thread ${tid} has nice value ${nice} and priority ${priority} under ${policyName(policy)}`,
            criu_message: schedMessage(thread),
            remedy: {
              kind: "human",
              text: "take an intact copy of the image, or dump again",
            },
          },
        ];
      }),
};
