/** Labels of security modules: the AppArmor profile or SELinux context of every thread (lsm.c). */
import type { Facet } from "./facet.ts";

export const labels: Facet = {
  id: "labels",
  final: "state",
  compare({ live, request }, { same, leftOut }) {
    for (const { task, proc, threads } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const saved = core?.thread_core?.creds?.lsm_profile;
        const now = threads.get(tid);
        if (saved === undefined || saved === "" || now === undefined) continue;
        if (request.lsmProfile !== undefined) {
          leftOut("labels, as --lsm-profile asks for another");
          continue;
        }
        same(
          task.pid,
          `label of thread ${tid}`,
          saved,
          labelOf(proc.read(`task/${now}/attr/current`)),
        );
      }
    }
  },
};

/** AppArmor adds the mode in brackets, SELinux a NUL. */
export const labelOf = (text: string | undefined): string | undefined =>
  text
    ?.replace(/[\0\n]+$/, "")
    .replace(/ \((?:enforce|complain|kill|unconfined|prompt|user)\)$/, "");
