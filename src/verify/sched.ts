/** Scheduling of every thread: CRIU ignores a refusal of the kernel, so only asking again tells. */
import { savedScheduling, wantedScheduling } from "../image/index.ts";
import { policyName } from "../sys/sched.ts";
import { scheduling, timerSlack } from "../sys/scheduling.ts";
import type { Facet } from "./facet.ts";

export const sched: Facet = {
  id: "scheduling",
  final: "state",
  compare({ live, lostPriority }, { same, leftOut }) {
    for (const { task, threads } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const saved = savedScheduling(core);
        const hostTid = threads.get(tid);
        if (saved === undefined || hostTid === undefined) continue;
        const now = scheduling(hostTid);
        const found = typeof now === "number" ? undefined : now;
        // A priority that was neither saved nor chosen can be any.
        const wanted = wantedScheduling(saved, lostPriority ?? found?.priority ?? 0);
        // A policy without its parameters is known to be lost, as long as the thread has an ordinary one instead.
        const replaced = saved.lost === "policy" && found?.priority === 0;
        same(
          task.pid,
          `policy of thread ${tid}`,
          policyName(saved.policy),
          found && policyName(found.policy),
          replaced ? "expected" : undefined,
        );
        same(task.pid, `priority of thread ${tid}`, wanted.priority, found?.priority);
        same(task.pid, `nice of thread ${tid}`, wanted.nice, found?.nice);
        const slack = core?.thread_core?.timerslack_ns;
        // A real-time thread has none.
        if (slack === undefined || slack === 0n) continue;
        const has = timerSlack(hostTid);
        if (has === undefined) leftOut("timer slack: it cannot be read");
        else same(task.pid, `timer slack of thread ${tid}`, `${slack} ns`, `${has} ns`);
      }
    }
  },
};
