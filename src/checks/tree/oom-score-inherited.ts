import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { CAP_SYS_RESOURCE } from "../rights/capabilities.ts";
import { lacks } from "../rights/capabilities.ts";

export const oomScoreInherited: Check = {
  title: "CRIU does not set a task's oom_score_adj",
  reads: "oom_score_adj in core-*.img; /proc/self/oom_score_adj and capabilities of recriu",
  why:
    "CRIU writes oom_score_adj only where it was not 0: other tasks keep that of CRIU, until recriu sets it again at its gate. To lower it " +
    "takes CAP_SYS_RESOURCE, and CRIU only logs that it could not.",
  proof: "harm",
  blocks: false,
  run(context) {
    const { checkpoint, host } = context;
    const callers = Number(host.read("/proc/self/oom_score_adj") ?? 0);
    const least = lacks(context, CAP_SYS_RESOURCE) ? Math.min(0, callers) : -1000;
    const tasks = livingTasks(checkpoint).flatMap((task) => {
      const saved = task.core?.tc?.oom_score_adj;
      return saved === undefined ? [] : [{ task, saved }];
    });
    const lost = tasks.find(({ saved }) => saved < least);
    const kept = callers === 0 ? undefined : tasks.find(({ saved }) => saved === 0);
    const finding = (
      pid: number,
      rest: Pick<Problem, "severity" | "message" | "remedy">,
    ): Problem => ({
      task: pid,
      image: `core-${pid}.img`,
      subject: `task ${pid}`,
      ...rest,
    });
    return [
      ...(lost === undefined
        ? []
        : [
            finding(lost.task.pid, {
              severity: "warning",
              message: `task ${lost.task.pid} had oom_score_adj ${lost.saved}, which needs CAP_SYS_RESOURCE; it will have ${callers}`,
              remedy: { kind: "human", text: "run the restore with CAP_SYS_RESOURCE" },
            }),
          ]),
      ...(kept === undefined
        ? []
        : [
            finding(kept.task.pid, {
              severity: "info",
              message: `task ${kept.task.pid} had oom_score_adj 0; CRIU would leave it with its own, ${callers}`,
              remedy: {
                kind: "human",
                text: "nothing to do: recriu sets it at its gate (not with --verify=off)",
              },
            }),
          ]),
    ];
  },
};
