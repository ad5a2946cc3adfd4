/** Numbers that CRIU must give to tasks, threads and its own helpers (cr-restore.c, pstree.c). */
import type { Stat } from "../../host/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";
import { joinedPidNamespace } from "./pid-namespaces.ts";
import type { Helper } from "./pstree-nodes.ts";

/** A number the restore needs, and what for. */
interface Needed {
  number: number;
  task: number | null;
  image: string;
  as: "process" | "thread" | Helper["as"];
}

/** Every task and thread, and the helpers that CRIU forks. */
function neededNumbers(context: Context): Needed[] {
  const needed = new Map<number, Needed>();
  const add = (entry: Needed) => {
    if (entry.number > 0 && !needed.has(entry.number)) needed.set(entry.number, entry);
  };
  for (const task of context.checkpoint.tasks) {
    add({ number: task.pid, task: task.pid, image: "pstree.img", as: "process" });
    for (const { tid } of task.threads)
      add({ number: tid, task: task.pid, image: "pstree.img", as: "thread" });
  }
  const tree = treeOf(context, runsAsShellJob(context));
  for (const helper of tree.ok ? tree.helpers : []) {
    const dead = helper.as === "dead process of /proc";
    add({ ...helper, image: dead ? "remap-fpath.img" : "pstree.img" });
  }
  return [...needed.values()];
}

/** The holder of a number: /proc shows tasks and threads, but a number also stays taken while it is that of a group or session. */
interface Holder {
  /** Its process or thread, or a member of its group or session. */
  readonly pid: number;
  readonly said: string;
}

/** The holder of a number in the pid namespace that the tree is put into; undefined where CRIU makes one, which is empty. */
function holderIn(context: Context): ((number: number) => Holder | undefined) | undefined {
  if (!context.namespaces.created.pid) return holderHere(context);
  const joined = joinedPidNamespace(context);
  const held = joined === undefined ? undefined : context.host.numbersIn(joined);
  return (
    held &&
    ((number) => {
      const holder = held.get(number);
      if (holder === undefined) return undefined;
      const { pid, comm, as } = holder;
      const what = as === "process" ? as : `the ${as} of process`;
      const where = "in the pid namespace that the tree is put into";
      return { pid, said: `${what} ${pid} of this machine (${comm}), ${where}` };
    })
  );
}

/** What recriu itself has started is gone when CRIU needs the numbers. */
function holderHere({ host }: Context): (number: number) => Holder | undefined {
  const processes = new Map(host.processes.map((process) => [process.pid, process]));
  const groups = new Map<number, Stat>();
  for (const process of host.processes)
    groups.set(process.pgrp, process).set(process.session, process);
  return (number) => {
    const process = processes.get(number);
    if (process?.state === "Z") {
      const said = `a zombie (${process.comm}) whose parent ${process.ppid} has not reaped it`;
      return { pid: number, said };
    }
    if (process !== undefined) return { pid: number, said: `process ${number} (${process.comm})` };
    const thread = host.isNumberOfTask(number) ? host.read(`/proc/${number}/status`) : undefined;
    const leader = Number(/^Tgid:\s*(\d+)/m.exec(thread ?? "")?.[1]);
    if (thread !== undefined && !host.recriuPids.has(leader)) {
      const name = /^Name:\s*(.*)$/m.exec(thread)?.[1];
      return { pid: number, said: `a thread of process ${leader} (${name})` };
    }
    const member = groups.get(number);
    if (member === undefined) return undefined;
    const said = `the process group or session of process ${member.pid} (${member.comm})`;
    return { pid: member.pid, said };
  };
}

/** What the restore needs and somebody has. */
function taken(context: Context): (Needed & { holder: Holder })[] {
  const holderOf = holderIn(context);
  if (holderOf === undefined) return [];
  return neededNumbers(context).flatMap((needed) => {
    const holder = holderOf(needed.number);
    return holder === undefined ? [] : [{ ...needed, holder }];
  });
}

/** Processes and threads that hold a number of the tree and are on their way to their end: soon they may have let go of it. */
export function endingHolders(context: Context): number[] {
  const holders = new Set(taken(context).map(({ holder }) => holder.pid));
  return [...holders].filter((pid) => context.host.ending(pid));
}

export const pidInUse: Check = {
  title: "A process id, thread id, session or group number is taken",
  reads:
    "pstree.img, remap-fpath.img; /proc/*/stat (pid, pgrp, session) and thread ids; where the tree is put into an existing pid namespace " +
    "(a pod's) NSpid, NSpgid and NSsid in /proc/*/status",
  why:
    "A restored task must have its old number. CRIU asks the kernel for it (clone3 set_tid) and fails while that number is taken: by a " +
    "process, by a zombie that its parent has not reaped, or by a process group or session that still bears it. The same holds for " +
    "CRIU's helpers: short tasks under the number of a dead session or group leader, of a dead process whose /proc file is open, or " +
    "under a number that CRIU picks from a gap of the images without asking this machine.",
  proof: "criu",
  isolate: "pid",
  waits: true,
  run(context) {
    const elsewhere = context.namespaces.created.pid;
    return taken(context).map(({ number, task, image, as, holder }): Problem => ({
      severity: "blocker",
      task,
      image,
      subject: String(number),
      message: `${as} ${number} cannot be made: the number is taken by ${holder.said}`,
      criu_message:
        as === "thread"
          ? "Unable to create a thread: -17"
          : `Can't fork for ${number}: File exists`,
      remedy: {
        kind: "human",
        text: "end its holder, or wait until the parent of a zombie reaps it",
        command: elsewhere
          ? sh`ps -o pid,ppid,pgid,sid,stat,comm -p ${holder.pid}`
          : sh`ps -eLo pid,tid,ppid,pgid,sid,stat,comm | grep -w -- ${number}`,
      },
      ...(elsewhere && { isolate: null }),
    }));
  },
};
