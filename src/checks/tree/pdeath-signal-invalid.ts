import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { LAST_SIGNAL } from "../../sys/linux.ts";

export const pdeathSignalInvalid: Check = {
  title: "The signal at the parent's death is no signal",
  reads: "pdeath_sig in core-*.img",
  why: "CRIU refuses a number above 64; no kernel lets a thread have one, so the image is damaged.",
  proof: "criu",
  *run({ checkpoint }): Generator<Problem> {
    for (const task of livingTasks(checkpoint))
      for (const { tid, core } of task.threads) {
        const { pdeath_sig = 0 } = core?.thread_core ?? {};
        if (pdeath_sig <= LAST_SIGNAL) continue;
        yield {
          severity: "blocker",
          task: task.pid,
          image: `core-${tid}.img`,
          subject: `thread ${tid}`,
          message: `thread ${tid} has ${pdeath_sig} for the signal at its parent's death`,
          criu_message: "Pdeath signal is too big",
          remedy: { kind: "human", text: "take an intact copy of the image, or dump again" },
        };
      }
  },
};
