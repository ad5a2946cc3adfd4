/** Signal actions as CRIU reads them back (sigact.c). */
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** SIGMAX - 2, on x86-64 and arm64: all signals that can have an action. */
const ACTIONS = 62;

export const sigactionsCount: Check = {
  title: "The images do not have an action for each signal",
  reads: "sigactions in core-*.img",
  why: "CRIU reads one action for each signal but SIGKILL and SIGSTOP, in order, and takes no other number of them.",
  proof: "criu",
  run: ({ checkpoint }) =>
    livingTasks(checkpoint)
      .values()
      .flatMap((task): Problem[] => {
        const count = task.core?.tc?.sigactions.length ?? 0;
        if (count === 0 || count === ACTIONS) return [];
        return [
          {
            severity: "blocker",
            task: task.pid,
            image: `core-${task.pid}.img`,
            subject: `task ${task.pid}`,
            message: `task ${task.pid} has the actions of ${count} signals, not of ${ACTIONS}`,
            criu_message: `Bad number of sigactions in the image (${count}, want ${ACTIONS})`,
            remedy: {
              kind: "human",
              text: "take another copy of the checkpoint: this one is damaged",
            },
          },
        ];
      }),
};
