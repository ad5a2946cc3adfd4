import { knows } from "../../criu/index.ts";
import type { Check, Context, Problem } from "../finding.ts";

export const zombieExitCode: Check = {
  title: "A zombie's exit code is too large for CRIU",
  reads: "task_state and exit_code in core-*.img",
  why:
    "A zombie is made again by a task that exits with its code, of which CRIU before 4.3 keeps seven bits: a code of 128 or more comes back " +
    "128 smaller, and 128 as success. The parent, which has not waited for it yet, will be told the wrong one.",
  proof: "harm",
  blocks: false,
  run: ({ checkpoint, criu }: Context) =>
    (knows(criu?.version, "zombieCodes", false) ? [] : checkpoint.tasks)
      .values()
      .flatMap((task): Problem[] => {
        const status = task.core?.tc?.exit_code ?? 0;
        const code = (status >> 8) & 0xff;
        if (task.state !== "dead" || (status & 0x7f) !== 0 || code < 128) return [];
        return [
          {
            severity: "warning",
            task: task.pid,
            image: `core-${task.pid}.img`,
            subject: `task ${task.pid}`,
            message: `the zombie ${task.pid} ended with ${code}; its parent ${task.ppid} will be told ${code & 0x7f}`,
            remedy: {
              kind: "human",
              text: "let the parent wait for it before the dump, if the code matters",
            },
          },
        ];
      }),
};
