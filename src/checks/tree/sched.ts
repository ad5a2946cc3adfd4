/** Scheduling that CRIU refuses to restore (cr-restore.c, validate_sched_parm) and recriu sets at its gate instead. */
import { knows } from "../../criu/index.ts";
import {
  LOWEST_PRIORITY,
  oncePer,
  savedScheduling,
  type SavedScheduling,
} from "../../image/index.ts";
import {
  basePolicy,
  policyName,
  SCHED_FIFO,
  SCHED_OTHER,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
} from "../../sys/sched.ts";
import type { ShellCommand } from "../../sys/shell.ts";
import type { Context, Edit, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export const realtime = [SCHED_FIFO, SCHED_RR];

interface ThreadSched extends SavedScheduling {
  task: number;
  tid: number;
}

/** Threads with saved scheduling; old images have none, and CRIU then sets nothing of it. */
export const scheduled = oncePer(({ checkpoint }: Context): readonly ThreadSched[] => {
  const found: ThreadSched[] = [];
  for (const { pid: task, threads } of livingTasks(checkpoint))
    for (const { tid, core } of threads) {
      const saved = savedScheduling(core);
      if (saved !== undefined) found.push({ task, tid, ...saved });
    }
  return found;
});

export const schedMessage = ({ policy, nice, priority }: ThreadSched) =>
  `Inconsistent sched params received (${policy | 0}.${nice}.${priority})`;

/** CRIU before 4.0 takes the flag for part of a policy that it does not know. */
export function refusesReset({ criu }: Context, { policy }: ThreadSched): boolean {
  return (policy & SCHED_RESET_ON_FORK) !== 0 && !knows(criu?.version, "resetOnFork", true);
}

export const priorityFor = ({ settings }: Context) => settings.schedPrio ?? LOWEST_PRIORITY;

/** What lets CRIU take the thread. What it had is set again while the tree is stopped (restore/mend.ts). */
function editsFor(context: Context, thread: ThreadSched): Edit[] {
  const { policy, lost, tid } = thread;
  const flag = refusesReset(context, thread) ? 0 : policy & SCHED_RESET_ON_FORK;
  const accepted = (lost === "policy" ? SCHED_OTHER : basePolicy(policy)) | flag;
  const shared = { file: `core-${tid}.img`, entry: 0 };
  const edits: Edit[] = [];
  if (accepted !== policy)
    edits.push({
      ...shared,
      field: "thread_core.sched_policy",
      from: policy,
      to: accepted,
      why: `CRIU does not take ${policyName(policy)}`,
    });
  if (lost === "priority")
    edits.push({
      ...shared,
      field: "thread_core.sched_prio",
      from: null,
      to: priorityFor(context),
      why: "the priority was not saved",
    });
  return edits;
}

/** A thread that CRIU refuses, and the edits that let it pass. */
export const refused = (
  context: Context,
  thread: ThreadSched,
  message: string,
  text: string,
  command: ShellCommand | null = null,
): Problem => ({
  severity: "blocker",
  task: thread.task,
  image: `core-${thread.tid}.img`,
  subject: `thread ${thread.tid}`,
  message: `thread ${thread.tid} ran under ${policyName(thread.policy)}${message}`,
  criu_message: schedMessage(thread),
  remedy: { kind: "edit", text, command, edits: editsFor(context, thread) },
});
