import { constants } from "node:fs";
import { PID_MAX_LIMIT } from "../../sys/process.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { older } from "../kernel/release.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";

export const PID_MAX = "/proc/sys/kernel/pid_max";

/** A pid namespace has a limit of its own, at first the largest that there is, as far as the kernel's release tells. */
export const limitsApart = (context: Context): boolean =>
  /^\d/.test(context.host.kernel) && !older(context, 6, 14);

/** The largest number that CRIU looks at: it passes threads over. */
export const largestOf = ({ pstree }: Context["checkpoint"]): number =>
  pstree.reduce((most, { pid, pgid, sid }) => Math.max(most, pid, pgid, sid), 0);

export const pidMax: Check = {
  title: "A number of the images is larger than this kernel hands out",
  reads: "pstree.img; /proc/sys/kernel/pid_max",
  why:
    "When a process, session or group number exceeds kernel.pid_max, CRIU raises that setting of the whole machine and leaves it so. " +
    "It does not look at threads, nor at a number that equals the limit: these the kernel refuses.",
  proof: "criu",
  answers: ["host", "person"],
  isolate: "pid",
  run(context) {
    const { checkpoint, host } = context;
    const limit = Number(host.read(PID_MAX) ?? 0);
    const largest = largestOf(checkpoint);
    if (limit === 0) return [];
    const shared = {
      image: "pstree.img",
      isolate: limitsApart(context) && largest < PID_MAX_LIMIT ? undefined : null,
    } as const;
    const raise = (most: number) =>
      raised("kernel/pid_max", {
        from: limit,
        to: most + 1,
        stays: false,
        text: "raise kernel.pid_max before the restore",
      });
    const pushed = largest > limit;
    if (pushed && (largest >= PID_MAX_LIMIT || host.access(PID_MAX, constants.W_OK) < 0))
      return [
        {
          ...shared,
          severity: "blocker",
          subject: String(largest),
          message: `the number ${largest} needs kernel.pid_max raised from ${limit}, which ${largest >= PID_MAX_LIMIT ? "no kernel allows" : "is not allowed here"}`,
          criu_message: largest >= PID_MAX_LIMIT ? `Can't set kernel pid_max=${largest + 1}` : null,
          remedy: raise(largest),
        },
      ];
    const findings: Problem[] = [];
    if (pushed)
      findings.push({
        ...shared,
        severity: "warning",
        subject: String(largest),
        message: `CRIU will set kernel.pid_max of this machine from ${limit} to ${largest + 1}, and leave it so`,
        remedy: {
          kind: "human",
          text: "set it back when the tree has ended",
          command: sh`sysctl kernel.pid_max=${limit}`,
        },
      });
    // A namespace that CRIU makes has a limit of its own since Linux 6.14, and before it this machine's.
    if (context.namespaces.created.pid) return findings;
    return [
      ...findings,
      ...refused(context, pushed ? largest + 1 : limit).map((number) => ({
        ...shared,
        severity: "blocker" as const,
        task: number.task,
        subject: String(number.number),
        message: `${number.what} ${number.number} cannot be made: the kernel gives only numbers below ${pushed ? largest + 1 : limit}`,
        criu_message:
          number.what === "thread"
            ? "Unable to create a thread: -22"
            : `Can't fork for ${number.number}: Invalid argument`,
        remedy: raise(number.number),
      })),
    ];
  },
};

/** The largest number of each kind that is not below the limit: one command answers for all. */
function refused(context: Context, limit: number) {
  const largest = new Map<string, { what: string; number: number; task: number | null }>();
  const note = (what: string, number: number, task: number | null) => {
    if (number >= limit && number > (largest.get(what)?.number ?? 0))
      largest.set(what, { what, number, task });
  };
  for (const task of context.checkpoint.tasks) {
    note("process", task.pid, task.pid);
    for (const { tid } of task.threads) if (tid !== task.pid) note("thread", tid, task.pid);
  }
  const tree = treeOf(context, runsAsShellJob(context));
  for (const { number, task } of tree.ok ? tree.helpers : []) note("helper", number, task);
  return [...largest.values()];
}
