/** Numbers that CRIU must give to tasks, threads and its own helpers (cr-restore.c, pstree.c). */
import type { Stat } from "../host/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";
import type { Helper } from "./pstree.ts";
import { sh } from "../sys/shell.ts";

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

/** Who holds a number: /proc shows tasks and threads, but a number also stays taken while it is anybody's group or session. */
function holderOf(
  context: Context,
  number: number,
  processes: ReadonlyMap<number, Stat>,
  groups: ReadonlyMap<number, Stat>,
): string | undefined {
  const process = processes.get(number);
  if (process?.state === "Z")
    return `a zombie (${process.comm}) whose parent ${process.ppid} has not reaped it`;
  if (process !== undefined) return `process ${number} (${process.comm})`;
  const thread = context.host.exists(`/proc/${number}`)
    ? context.host.read(`/proc/${number}/status`)
    : undefined;
  if (thread !== undefined)
    return `a thread of process ${/^Tgid:\s*(\d+)/m.exec(thread)?.[1]} (${/^Name:\s*(.*)$/m.exec(thread)?.[1]})`;
  const member = groups.get(number);
  if (member !== undefined)
    return `the process group or session of process ${member.pid} (${member.comm})`;
  return undefined;
}

export const pidInUse: Check = {
  id: "pid-in-use",
  title: "A process id, thread id, session or group number is taken",
  reads: "pstree.img, remap-fpath.img; /proc/*/stat (pid, pgrp, session) and thread ids",
  why:
    "A restored task must have its old number. CRIU asks the kernel for it (clone3 set_tid) and fails when anybody has it, " +
    "also a zombie that nobody has reaped, and also a number that is only still in use as somebody's process group or session. " +
    "The same holds for helpers: short tasks under the number of a dead session or group leader, of a dead process whose " +
    "/proc file is open, or under a number that CRIU picks from a gap of the images without asking this machine.",
  proof: "criu",
  run(context) {
    if (context.namespaces.own.pid) return [];
    const processes = new Map(context.host.processes.map((process) => [process.pid, process]));
    const groups = new Map<number, Stat>();
    for (const process of context.host.processes)
      groups.set(process.pgrp, process).set(process.session, process);
    return neededNumbers(context).flatMap((needed): Finding[] => {
      const holder = holderOf(context, needed.number, processes, groups);
      if (holder === undefined) return [];
      return [
        {
          id: "pid-in-use",
          severity: "blocker",
          task: needed.task,
          image: needed.image,
          subject: String(needed.number),
          message: `${needed.as} ${needed.number} cannot be made: the number is taken by ${holder}`,
          criu_message:
            needed.as === "thread"
              ? "Unable to create a thread: -17"
              : `Can't fork for ${needed.number}: File exists`,
          remedy: {
            kind: "human",
            text: "end its holder, or wait until the parent of a zombie reaps it",
            command: sh`ps -eLo pid,tid,ppid,pgid,sid,stat,comm | grep -w -- ${needed.number}`,
          },
        },
      ];
    });
  },
};
