/** How a thread was scheduled (sched(7)), and what of that no image has. */
import {
  basePolicy,
  SCHED_DEADLINE,
  SCHED_EXT,
  SCHED_FIFO,
  SCHED_OTHER,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
  type Scheduling,
} from "../sys/sched.ts";
import type { CoreEntry } from "./types.ts";

export interface SavedScheduling extends Scheduling {
  /**
   * priority: CRIU before 4.0 did not recognise SCHED_FIFO and SCHED_RR with SCHED_RESET_ON_FORK and left it out.
   * policy: of SCHED_DEADLINE and SCHED_EXT every CRIU saves the number alone, and refuses it when it restores.
   */
  lost: "priority" | "policy" | undefined;
}

/** Undefined: a CRIU that did not save it. */
export function savedScheduling(core: CoreEntry | undefined): SavedScheduling | undefined {
  const { sched_policy, sched_prio = 0, sched_nice = 0 } = core?.thread_core ?? {};
  if (sched_policy === undefined) return undefined;
  const base = basePolicy(sched_policy);
  const lost =
    base === SCHED_DEADLINE || base === SCHED_EXT
      ? "policy"
      : (base === SCHED_FIFO || base === SCHED_RR) && sched_prio === 0
        ? "priority"
        : undefined;
  return { policy: sched_policy, priority: sched_prio, nice: sched_nice, lost };
}

/** What the restored thread is to have: as saved, with `priority` for a lost one and SCHED_OTHER for lost parameters of a policy. */
export function wantedScheduling(saved: SavedScheduling, priority: number): Scheduling {
  const { policy, nice, lost } = saved;
  if (lost === "priority") return { policy, priority, nice };
  if (basePolicy(policy) !== SCHED_DEADLINE) return { policy, priority: saved.priority, nice };
  return { policy: SCHED_OTHER | (policy & SCHED_RESET_ON_FORK), priority: 0, nice };
}

/** Taken for a lost priority when the user names none: the lowest that a real-time policy has. */
export const LOWEST_PRIORITY = 1;
