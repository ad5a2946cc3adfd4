/**
 * What CRIU sets without looking at the result, and can be set from outside: it is set again while the tree is stopped.
 * Whether it holds is for the verification to say.
 */
import { writeFileSync } from "node:fs";
import { type Checkpoint, savedScheduling, wantedScheduling } from "../image/index.ts";
import { getLimit, setLimit } from "../sys/process.ts";
import { scheduling, setScheduling, timerSlack } from "../sys/scheduling.ts";
import type { Difference, LiveTask, LiveTree } from "../verify/index.ts";
import { mendFiles } from "./mend-files.ts";
import { mendMounts } from "./mend-mounts.ts";

/**
 * Mend a stopped tree; returns what was set. `lostPriority` is for real-time threads without a saved priority; `edits` are what CRIU was
 * shown otherwise than it was saved.
 */
export function mend(
  checkpoint: Checkpoint,
  tree: LiveTree,
  lostPriority: number,
  edits: Parameters<typeof mendMounts>[2],
): Difference[] {
  const tasks = [...tree.tasks.values()]
    .filter(({ task }) => task.state !== "dead")
    .flatMap((live) => [
      ...mendScheduling(live, lostPriority),
      ...mendSlack(live),
      ...mendLimits(live),
      ...mendOom(live),
    ]);
  return [...tasks, ...mendFiles(checkpoint, tree), ...mendMounts(checkpoint, tree, edits)];
}

export const mended = (
  facet: string,
  { task }: LiveTask,
  expected: string,
  found: string,
): Difference => ({
  facet,
  task: task.pid,
  expected,
  found,
  class: "mended",
});

function mendScheduling(live: LiveTask, lostPriority: number): Difference[] {
  return live.task.threads.flatMap(({ tid, core }) => {
    const saved = savedScheduling(core);
    const now = live.threads.get(tid);
    if (saved === undefined || now === undefined) return [];
    const wanted = wantedScheduling(saved, lostPriority);
    const { policy, priority, nice } = wanted;
    const before = scheduling(now);
    if (typeof before === "number") return [];
    if (before.policy === policy && before.priority === priority && before.nice === nice) return [];
    if (setScheduling(now, wanted) < 0) return [];
    const show = (...values: number[]) =>
      `policy, priority, nice of thread ${tid}: ${values.join(", ")}`;
    return [
      mended(
        "scheduling",
        live,
        show(policy, priority, nice),
        `${before.policy}, ${before.priority}, ${before.nice}`,
      ),
    ];
  });
}

/** A CRIU before 4.3 passes over what a later one saved. */
function mendSlack(live: LiveTask): Difference[] {
  return live.task.threads.flatMap(({ tid, core }) => {
    const saved = core?.thread_core?.timerslack_ns;
    const now = live.threads.get(tid);
    const before = now === undefined ? undefined : timerSlack(now);
    // A real-time thread has none, and 0 would be the default.
    if (!saved || before === undefined || before === saved) return [];
    try {
      writeFileSync(`/proc/${now}/timerslack_ns`, `${saved}`);
    } catch {
      return []; // not allowed: the verification says what is missing
    }
    return [
      mended("scheduling", live, `timer slack of thread ${tid}: ${saved} ns`, `${before} ns`),
    ];
  });
}

function mendLimits(live: LiveTask): Difference[] {
  return (live.task.core?.tc?.rlimits?.rlimits ?? []).flatMap(({ cur, max }, resource) => {
    const before = getLimit(live.pid, resource);
    if (typeof before === "number" || (before.soft === cur && before.hard === max)) return [];
    if (setLimit(live.pid, resource, cur, max) < 0) return [];
    return [
      mended(
        "limits",
        live,
        `limit ${resource}: ${cur} of ${max}`,
        `${before.soft} of ${before.hard}`,
      ),
    ];
  });
}

function mendOom(live: LiveTask): Difference[] {
  const saved = live.task.core?.tc?.oom_score_adj;
  const before = live.proc.read("oom_score_adj")?.trim();
  if (saved === undefined || before === undefined || before === String(saved)) return [];
  try {
    writeFileSync(`/proc/${live.pid}/oom_score_adj`, String(saved));
  } catch {
    return []; // not allowed: the verification says what is missing
  }
  return [mended("process", live, `oom_score_adj: ${saved}`, before)];
}
