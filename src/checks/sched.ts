/** Scheduling parameters that CRIU refuses to restore (cr-restore.c, validate_sched_parm). */
import { compareVersions } from "../criu/index.ts";
import { policyName, SCHED_FIFO, SCHED_RESET_ON_FORK, SCHED_RR } from "../sys/sched.ts";
import type { Check, Context, Finding } from "./finding.ts";

interface ThreadSched {
  task: number;
  tid: number;
  nice: number;
  policy: number;
  priority: number;
}

function threadsWithReset({ checkpoint }: Context): ThreadSched[] {
  return checkpoint.tasks.flatMap((task) =>
    task.threads.flatMap(({ tid, core }) => {
      const saved = core?.thread_core;
      if (!((saved?.sched_policy ?? 0) & SCHED_RESET_ON_FORK)) return [];
      return [
        {
          task: task.pid,
          tid,
          nice: saved!.sched_nice ?? 0,
          policy: saved!.sched_policy!,
          priority: saved!.sched_prio ?? 0,
        },
      ];
    }),
  );
}

const isRealtime = (policy: number) =>
  [SCHED_FIFO, SCHED_RR].includes(policy & ~SCHED_RESET_ON_FORK);

const criuMessage = (thread: ThreadSched) =>
  `Inconsistent sched params received (${thread.policy}.${thread.nice}.${thread.priority})`;

/** CRIU before 4.0 does not know the flag. */
function refusesReset(context: Context): boolean {
  const version = context.criu?.version;
  return version !== undefined && compareVersions(version, "4.0") < 0;
}

function describe(thread: ThreadSched): string {
  return `thread ${thread.tid} runs under ${policyName(thread.policy)} priority ${thread.priority}`;
}

export const schedResetOnFork: Check = {
  id: "sched-reset-on-fork",
  title: "A thread has SCHED_RESET_ON_FORK",
  reads: "sched_policy in core-*.img; the version of CRIU",
  why:
    "CRIU before 4.0 takes the flag for an unknown policy and stops. Browsers and audio servers get it from rtkit. " +
    "Later versions restore it; that it came back can only be seen by sched_getscheduler(2), which the verification asks.",
  proof: "images",
  run: (context) =>
    threadsWithReset(context)
      .filter((thread) => !(isRealtime(thread.policy) && thread.priority === 0))
      .map((thread): Finding => {
        const refused = refusesReset(context);
        return {
          id: "sched-reset-on-fork",
          severity: refused ? "blocker" : "info",
          task: thread.task,
          image: `core-${thread.tid}.img`,
          subject: `thread ${thread.tid}`,
          message: refused
            ? `${describe(thread)}; CRIU ${context.criu?.version} refuses the flag`
            : `${describe(thread)}; it is verified after the restore`,
          criu_message: refused ? criuMessage(thread) : null,
          remedy: refused
            ? {
                kind: "human",
                text: "restore with CRIU 4.0 or later (--criu=PATH names another one)",
                command: null,
              }
            : { kind: "human", text: "nothing to do", command: null },
        };
      }),
};

export const schedPriorityLost: Check = {
  id: "sched-priority-lost",
  title: "A real-time thread's priority is not in the images",
  reads: "sched_policy and sched_prio in core-*.img",
  why:
    "CRIU before 4.0 did not recognise SCHED_FIFO and SCHED_RR with SCHED_RESET_ON_FORK when it dumped, and left the priority out. " +
    "Every CRIU refuses priority 0 for them.",
  proof: "criu",
  run: (context) =>
    context.checkpoint.tasks.flatMap((task) =>
      task.threads.flatMap(({ tid, core }): Finding[] => {
        const saved = core?.thread_core;
        const policy = saved?.sched_policy ?? 0;
        if (!isRealtime(policy) || (saved?.sched_prio ?? 0) !== 0) return [];
        const thread = { task: task.pid, tid, nice: saved?.sched_nice ?? 0, policy, priority: 0 };
        return [
          {
            id: "sched-priority-lost",
            severity: "blocker",
            task: task.pid,
            image: `core-${tid}.img`,
            subject: `thread ${tid}`,
            message: `thread ${tid} runs under ${policyName(policy)}, but its priority was not saved`,
            criu_message: criuMessage(thread),
            remedy: {
              kind: "human",
              text: "dump again with CRIU 4.0 or later, or put a sched_prio of 1 to 99 into a copy of the image",
              command: null,
            },
          },
        ];
      }),
    ),
};
