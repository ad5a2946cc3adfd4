/** Numbers that CRIU must give to tasks, threads and its own helpers (cr-restore.c, pstree.c). */
import type { Stat } from "../../host/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";
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

/** The holders of these numbers. What recriu itself has started is gone when CRIU needs them. */
function holdersOf({ host }: Context, numbers: readonly number[]): Map<number, Holder> {
  const processes = new Map(host.processes.map((process) => [process.pid, process]));
  const groups = new Map<number, Stat>();
  for (const process of host.processes)
    groups.set(process.pgrp, process).set(process.session, process);
  const holderOf = (number: number): Holder | undefined => {
    const process = processes.get(number);
    if (process?.state === "Z") {
      const said = `a zombie (${process.comm}) whose parent ${process.ppid} has not reaped it`;
      return { pid: number, said };
    }
    if (process !== undefined) return { pid: number, said: `process ${number} (${process.comm})` };
    const thread = host.exists(`/proc/${number}`) ? host.read(`/proc/${number}/status`) : undefined;
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
  return new Map(
    numbers.flatMap((number) => {
      const holder = holderOf(number);
      return holder === undefined ? [] : [[number, holder] as const];
    }),
  );
}

/** Processes and threads that hold a number of the tree and are on their way to their end: soon they may have let go of it. */
export function endingHolders(context: Context): number[] {
  if (context.namespaces.created.pid) return [];
  const numbers = neededNumbers(context).map(({ number }) => number);
  const holders = new Set([...holdersOf(context, numbers).values()].map(({ pid }) => pid));
  return [...holders].filter((pid) => context.host.ending(pid));
}

export const pidInUse: Check = {
  title: "A process id, thread id, session or group number is taken",
  reads: "pstree.img, remap-fpath.img; /proc/*/stat (pid, pgrp, session) and thread ids",
  why:
    "A restored task must have its old number. CRIU asks the kernel for it (clone3 set_tid) and fails when anybody has it, " +
    "also a zombie that nobody has reaped, and also a number that is only still in use as somebody's process group or session. " +
    "The same holds for helpers: short tasks under the number of a dead session or group leader, of a dead process whose " +
    "/proc file is open, or under a number that CRIU picks from a gap of the images without asking this machine.",
  proof: "criu",
  isolate: "pid",
  waits: true,
  run(context) {
    if (context.namespaces.created.pid) return [];
    const needed = neededNumbers(context);
    const holders = holdersOf(
      context,
      needed.map(({ number }) => number),
    );
    return needed.values().flatMap(({ number, task, image, as }): Problem[] => {
      const holder = holders.get(number);
      if (holder === undefined) return [];
      return [
        {
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
            command: sh`ps -eLo pid,tid,ppid,pgid,sid,stat,comm | grep -w -- ${number}`,
          },
        },
      ];
    });
  },
};
