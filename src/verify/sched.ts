/** Scheduling of every thread: CRIU ignores a refusal of the kernel, so only asking again tells. */
import { policyName, scheduling } from "../sys/sched.ts";
import type { Facet } from "./facet.ts";

export const sched: Facet = {
  id: "scheduling",
  final: "state",
  compare({ live }, { same }) {
    for (const { task, threads } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const saved = core?.thread_core;
        const hostTid = threads.get(tid);
        if (saved?.sched_policy === undefined || hostTid === undefined) continue;
        const now = scheduling(hostTid);
        const found = typeof now === "number" ? undefined : now;
        same(
          task.pid,
          `policy of thread ${tid}`,
          policyName(saved.sched_policy),
          found && policyName(found.policy),
        );
        same(task.pid, `priority of thread ${tid}`, saved.sched_prio ?? 0, found?.priority);
        same(task.pid, `nice of thread ${tid}`, saved.sched_nice ?? 0, found?.nice);
      }
    }
  },
};
