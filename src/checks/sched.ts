/** Scheduling that CRIU refuses to restore (cr-restore.c, validate_sched_parm) and recriu sets at its gate instead. */
import { knows } from "../criu/index.ts";
import { LOWEST_PRIORITY, type SavedScheduling, savedScheduling } from "../image/index.ts";
import { basePolicy, policyName, SCHED_OTHER, SCHED_RESET_ON_FORK } from "../sys/sched.ts";
import type { Check, Context, Edit, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { sh, type ShellCommand } from "../sys/shell.ts";

interface ThreadSched extends SavedScheduling {
  task: number;
  tid: number;
}

/** Threads with saved scheduling; old images have none, and CRIU then sets nothing of it. */
export function scheduled({ checkpoint }: Context): ThreadSched[] {
  return livingTasks(checkpoint).flatMap((task) =>
    task.threads.flatMap(({ tid, core }) => {
      const saved = savedScheduling(core);
      return saved === undefined ? [] : [{ task: task.pid, tid, ...saved }];
    }),
  );
}

export const schedMessage = ({ policy, nice, priority }: ThreadSched) =>
  `Inconsistent sched params received (${policy | 0}.${nice}.${priority})`;

/** CRIU before 4.0 takes the flag for part of a policy that it does not know. */
function refusesReset({ criu }: Context, { policy }: ThreadSched): boolean {
  return (policy & SCHED_RESET_ON_FORK) !== 0 && !knows(criu?.version, "resetOnFork", true);
}

const priorityFor = ({ own }: Context) => own.schedPrio ?? LOWEST_PRIORITY;

/** What lets CRIU take the thread. What it had is set again while the tree is stopped (restore/mend.ts). */
function editsFor(id: string, context: Context, thread: ThreadSched): Edit[] {
  const { policy, lost, tid } = thread;
  const flag = refusesReset(context, thread) ? 0 : policy & SCHED_RESET_ON_FORK;
  const accepted = (lost === "policy" ? SCHED_OTHER : basePolicy(policy)) | flag;
  const shared = { id, file: `core-${tid}.img`, entry: 0 };
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
const refused = (
  id: string,
  context: Context,
  thread: ThreadSched,
  message: string,
  text: string,
  command: ShellCommand | null = null,
): Finding => ({
  id,
  severity: "blocker",
  task: thread.task,
  image: `core-${thread.tid}.img`,
  subject: `thread ${thread.tid}`,
  message: `thread ${thread.tid} ran under ${policyName(thread.policy)}${message}`,
  criu_message: schedMessage(thread),
  remedy: { kind: "edit", text, command, edits: editsFor(id, context, thread) },
});

export const schedResetOnFork: Check = {
  id: "sched-reset-on-fork",
  title: "A thread has SCHED_RESET_ON_FORK",
  reads: "sched_policy in core-*.img; the version of CRIU",
  why:
    "CRIU before 4.0 takes the flag for an unknown policy and stops. Browsers and audio servers get it from rtkit. recriu shows such a CRIU " +
    "the policy without it and sets it again before the tree runs. Later versions restore it themselves; that it came back can only be " +
    "seen by sched_getscheduler(2), which the verification asks.",
  proof: "images",
  run: (context) =>
    scheduled(context)
      .filter(({ policy, lost }) => (policy & SCHED_RESET_ON_FORK) !== 0 && lost === undefined)
      .map((thread): Finding => {
        const { task, tid, policy, priority } = thread;
        const message = ` priority ${priority}; CRIU ${context.criu?.version} refuses the flag`;
        const text = "give CRIU the policy without the flag, and set it again before the tree runs";
        if (refusesReset(context, thread))
          return refused("sched-reset-on-fork", context, thread, message, text);
        return {
          id: "sched-reset-on-fork",
          severity: "info",
          task,
          image: `core-${tid}.img`,
          subject: `thread ${tid}`,
          message: `thread ${tid} ran under ${policyName(policy)} priority ${priority}; it is verified after the restore`,
          criu_message: null,
          remedy: { kind: "human", text: "nothing to do", command: null },
        };
      }),
};

export const schedPriorityLost: Check = {
  id: "sched-priority-lost",
  title: "A real-time thread's priority is not in the images",
  reads: "sched_policy and sched_prio in core-*.img; --sched-prio",
  why:
    "CRIU before 4.0 did not recognise SCHED_FIFO and SCHED_RR with SCHED_RESET_ON_FORK when it dumped, and left the priority out. " +
    "Every CRIU refuses priority 0 for them. recriu takes the one that --sched-prio=N names, else 1, the lowest.",
  proof: "criu",
  run: (context) =>
    scheduled(context)
      .filter(({ lost }) => lost === "priority")
      .map((thread) =>
        refused(
          "sched-priority-lost",
          context,
          thread,
          `, but its priority was not saved; it is taken as ${priorityFor(context)}`,
          context.own.schedPrio === undefined
            ? "give it the lowest priority; --sched-prio=N names another, 1 to 99"
            : "give it the priority that --sched-prio names",
          context.own.schedPrio === undefined ? sh`--sched-prio=N` : null,
        ),
      ),
};

export const schedDeadline: Check = {
  id: "sched-deadline",
  title: "A thread's scheduling policy is one that CRIU does not know",
  reads: "sched_policy in core-*.img",
  why:
    "CRIU dumps a thread under SCHED_DEADLINE or SCHED_EXT without complaint, but leaves the runtime, deadline and period out, and refuses " +
    "the policy when it restores. recriu lets such a thread come back under SCHED_OTHER with its nice value; SCHED_EXT it sets again where " +
    "the kernel has it. Who gave the thread its deadline has to give it again.",
  proof: "criu",
  run: (context) =>
    scheduled(context)
      .filter(({ lost }) => lost === "policy")
      .map((thread) =>
        refused(
          "sched-deadline",
          context,
          thread,
          ", which CRIU cannot restore: its parameters are not in the images",
          "let it come back under SCHED_OTHER; give it its parameters again after the restore",
          sh`chrt --deadline --sched-runtime NS --sched-deadline NS --sched-period NS -p 0 ${thread.tid}`,
        ),
      ),
};
