/** The restored tree as it is now: which process of this machine is which task of the images. */
import type { Checkpoint, Task } from "../image/index.ts";
import { childrenOf, innermostPid, linkOf, readStat, threadsOf } from "../host/processes.ts";

export interface LiveTask {
  task: Task;
  /** Its pid on this machine. */
  pid: number;
  /** R S D T t Z …; proc_pid_stat(5). */
  state: string;
  /** Thread ids: as the images number them, to this machine's. */
  threads: Map<number, number>;
}

export interface LiveTree {
  root: number;
  /** By the pid in the images; a task that does not exist is absent. */
  tasks: ReadonlyMap<number, LiveTask>;
  /** Nothing of it has run yet: what a running tree changes by itself can be compared too. */
  stopped: boolean;
  /** Processes below the root that no image knows, by their pid on this machine. */
  strangers: readonly number[];
}

/**
 * Walk the tree below the process `root` (this machine's pid). Images number tasks as the innermost pid namespace
 * does, which is the last column of NSpid. `stopped`: nothing of it has run yet.
 */
export function liveTree(checkpoint: Checkpoint, root: number, stopped: boolean): LiveTree {
  const saved = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
  const tasks = new Map<number, LiveTask>();
  const strangers: number[] = [];
  const seen = new Set<number>();
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    const stat = readStat(pid);
    if (stat === undefined) continue;
    const task = saved.get(innermostPid(pid) ?? pid);
    if (task === undefined) strangers.push(pid);
    else {
      const threads = threadsOf(pid).map((tid): [number, number] => [
        innermostPid(pid, tid) ?? tid,
        tid,
      ]);
      tasks.set(task.pid, { task, pid, state: stat.state, threads: new Map(threads) });
    }
    pending.push(...childrenOf(pid));
  }
  return { root, tasks, stopped, strangers };
}

/** The process that the saved root task is now, when it kept its number and runs the program that the images name. */
export function findRoot(checkpoint: Checkpoint): number | undefined {
  const root = checkpoint.root;
  if (root === undefined || readStat(root.pid) === undefined) return undefined;
  const program = checkpoint.openFiles.get(root.mm?.exe_file_id ?? 0)?.reg?.name;
  return program === undefined || linkOf(root.pid, "exe") === program ? root.pid : undefined;
}
