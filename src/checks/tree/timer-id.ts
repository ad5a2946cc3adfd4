/** POSIX timers, which come back under their numbers (timer.c, pie/restorer.c). */
import { knows } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** From here on a kernel without chosen timer ids spends seconds on counting up to one. */
const MANY = 1_000_000;

export const timerId: Check = {
  title: "A timer has a number that takes long to count up to",
  reads: "posix timers in core-*.img; CRIU's version",
  why:
    "Before CRIU 4.2 (and Linux 6.15) a timer gets its old number only by making and removing timers until the number comes up. A task " +
    "that made millions of timers is restored very slowly.",
  proof: "images",
  blocks: false,
  run: ({ checkpoint, criu }) =>
    livingTasks(checkpoint)
      .values()
      .flatMap((task): Problem[] => {
        const most = (task.core?.tc?.timers?.posix ?? []).reduce(
          (m, { it_id }) => Math.max(m, it_id),
          0,
        );
        if (most < MANY || knows(criu?.version, "timerNumbers", false)) return [];
        return [
          {
            severity: "warning",
            task: task.pid,
            image: `core-${task.pid}.img`,
            subject: `timer ${most}`,
            message: `task ${task.pid} has a timer of the number ${most}: CRIU makes and removes as many before`,
            remedy: {
              kind: "human",
              text: "restore with CRIU 4.2 on Linux 6.15 or later",
            },
          },
        ];
      }),
};
