/** What tasks get of this machine: numbers, processor time, limits, memory when it runs short, rights (cr-restore.c). */
import type { Task } from "../../image/index.ts";
import { basePolicy, policyName, SCHED_DEADLINE, SCHED_FIFO, SCHED_RR } from "../../sys/sched.ts";
import type { Context } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { limitNames, show } from "../rights/rlimit-lowered.ts";
import { niceOf } from "../tree/sched-not-permitted.ts";
import { scheduled } from "../tree/sched.ts";
import { effect, type Effect } from "./effect.ts";

export function* taskEffects(context: Context): Iterable<Effect> {
  const memory = Number(context.host.read("/proc/self/oom_score_adj") ?? 0);
  const limits = limitNames.map((_, resource) => context.host.limit(resource)?.hard);
  yield* context.checkpoint.tasks.values().map((task) => process(context, task));
  yield* scheduling(context);
  for (const task of livingTasks(context.checkpoint)) {
    yield* limitsOf(task, limits);
    yield* others(task, memory);
  }
}

const shared = (pid: number) => ({ image: `core-${pid}.img`, task: pid });

function process({ namespaces }: Context, { pid, core }: Task): Effect {
  const creds = core?.thread_core?.creds;
  const user = creds === undefined ? "" : `, user ${creds.euid}`;
  return effect({
    ...shared(pid),
    verb: "create",
    what: "process",
    name: `${pid} ${core?.tc?.comm ?? ""}`.trim(),
    detail: `${namespaces.created.pid ? "in the tree's own pid namespace" : "under this number"}${user}`,
  });
}

/** Ordinary scheduling is nothing that anybody would miss. */
function scheduling(context: Context): Effect[] {
  const callersNice = niceOf(context.host.read("/proc/self/stat"));
  return scheduled(context).flatMap(({ task, tid, policy, priority, nice }): Effect[] => {
    const realtime = [SCHED_FIFO, SCHED_RR, SCHED_DEADLINE].includes(basePolicy(policy));
    if (!realtime && nice >= callersNice) return [];
    return [
      effect({
        image: `core-${tid}.img`,
        task,
        verb: "set",
        what: "scheduling",
        name: `thread ${tid}`,
        detail: realtime
          ? `${policyName(policy)} priority ${priority}: runs before all ordinary threads of this machine`
          : `nice value ${nice}, and the caller's is ${callersNice}`,
        check: "untrusted-sched",
      }),
    ];
  });
}

function limitsOf(task: Task, callersLimits: readonly (bigint | undefined)[]): Effect[] {
  const limits = task.core?.tc?.rlimits?.rlimits ?? [];
  return limits.flatMap(({ max }, resource): Effect[] => {
    const hard = callersLimits[resource];
    if (hard === undefined || max <= hard) return [];
    return [
      effect({
        ...shared(task.pid),
        verb: "set",
        what: "limit",
        name: `RLIMIT_${limitNames[resource]}`,
        detail: `up to ${show(max)}, and the caller's limit is ${show(hard)}`,
        check: "untrusted-limit",
      }),
    ];
  });
}

function others({ pid, core }: Task, memory: number): Effect[] {
  const { oom_score_adj, loginuid } = core?.tc ?? {};
  const profile = core?.thread_core?.creds?.lsm_profile;
  const found: Effect[] = [];
  const note = (what: string, name: string, detail: string, check: Effect["check"] = null) =>
    found.push(effect({ ...shared(pid), verb: "set", what, name, detail, check }));
  // CRIU sets no 0.
  if (oom_score_adj !== undefined && oom_score_adj !== 0 && oom_score_adj !== memory)
    note(
      "oom_score_adj",
      `task ${pid}`,
      `${oom_score_adj}, and the caller's is ${memory}: the lower, the later it is killed when memory runs short`,
      oom_score_adj < memory ? "untrusted-limit" : null,
    );
  if (loginuid !== undefined && loginuid !== 0xffffffff)
    note("loginuid", `task ${pid}`, `user ${loginuid}, under which the audit log has it`);
  if (profile !== undefined) note("security label", `task ${pid}`, profile);
  return found;
}
