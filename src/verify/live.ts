/** The restored tree as it is now: which process of this machine is which task of the images. */
import { type Checkpoint, type Task, wasAdopted } from "../image/index.ts";
import {
  childrenOf,
  innermostPid,
  linkOf,
  listProcesses,
  parseStat,
  parseStatus,
  readStat,
  type Status,
  threadsOf,
} from "../host/processes.ts";
import { ProcessFiles } from "../host/process-files.ts";

export interface LiveTask {
  task: Task;
  /** Its pid on this machine. */
  pid: number;
  /** What /proc says of it. */
  proc: ProcessFiles;
  /** The text of /proc/PID/stat (proc_pid_stat(5)), and of it R S D T t Z …. */
  stat: string;
  state: string;
  /** Its name: that of its leading thread. */
  comm: string;
  /** Thread ids: as the images number them, to this machine's. */
  threads: Map<number, number>;
  /** The fields of /proc/PID/task/TID/status, of the process when no thread of this machine's is named; read once. */
  status(tid?: number): Status;
}

export interface LiveTree {
  root: number;
  /** By the pid in the images; a task that does not exist is absent. */
  tasks: ReadonlyMap<number, LiveTask>;
  /** Nothing of it has run yet: what a running tree changes by itself can be compared too. */
  stopped: boolean;
  /** The process whose namespaces are those that CRIU restored in. */
  criu: number | "self";
  /** Processes below the root that no image knows. */
  strangers: readonly Stranger[];
}

interface Stranger {
  pid: number;
  /** In clock ticks since boot. */
  starttime: bigint;
}

/**
 * Walk the tree below the process `root` (this machine's pid). Images number tasks as the innermost pid namespace
 * does, which is the last column of NSpid. `stopped`: nothing of it has run yet. `criu`: whose namespaces are those that CRIU
 * restored in.
 */
export function liveTree(
  checkpoint: Checkpoint,
  root: number,
  stopped: boolean,
  criu: number | "self" = "self",
): LiveTree {
  const saved = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
  const tasks = new Map<number, LiveTask>();
  const strangers: Stranger[] = [];
  const seen = new Set<number>();
  const pending = [root];
  for (;;) {
    const pid = pending.pop();
    if (pid === undefined) {
      pending.push(...orphans(checkpoint, root, tasks).filter((orphan) => !seen.has(orphan)));
      if (pending.length === 0) break;
      continue;
    }
    if (seen.has(pid)) continue;
    seen.add(pid);
    const proc = new ProcessFiles(pid);
    const text = proc.read("stat") ?? "";
    const stat = parseStat(text);
    if (stat === undefined) {
      proc.close();
      continue;
    }
    const status = statuses(proc);
    const task = saved.get(innermost(status()) ?? pid);
    const tids = threadsOf(pid);
    if (task === undefined) {
      strangers.push({ pid, starttime: stat.starttime });
      proc.close();
    } else {
      const threads = new Map(tids.map((tid) => [innermost(status(tid)) ?? tid, tid]));
      const { state, comm } = stat;
      tasks.set(task.pid, { task, pid, proc, stat: text, state, comm, threads, status });
    }
    pending.push(...childrenOf(pid, tids));
  }
  return { root, tasks, stopped, criu, strangers };
}

/** The same processes at a later moment, when nothing of the tree has run meanwhile; others may have killed some. */
export function lookAgain(live: LiveTree): LiveTree {
  const tasks = new Map<number, LiveTask>();
  for (const [saved, task] of live.tasks) {
    const stat = task.proc.read("stat") ?? "";
    const now = parseStat(stat);
    if (now === undefined) continue;
    const { state, comm } = now;
    tasks.set(saved, { ...task, stat, state, comm, status: statuses(task.proc) });
  }
  return { ...live, tasks };
}

function statuses(proc: ProcessFiles): LiveTask["status"] {
  const statusByTid = new Map<number, Status>();
  return (tid = proc.pid) => {
    let status = statusByTid.get(tid);
    if (status === undefined)
      statusByTid.set(tid, (status = parseStatus(proc.read(`task/${tid}/status`))));
    return status;
  };
}

/** Let go of what was kept open to look at a tree. */
export function closeTree({ tasks }: LiveTree): void {
  for (const { proc } of tasks.values()) proc.close();
}

/** The id of a process or thread in its innermost pid namespace: the last column of NSpid. */
function innermost(status: Status): number | undefined {
  const last = status.get("NSpid")?.split(/\s+/).pop();
  return last === undefined ? undefined : Number(last);
}

/** Adopted tasks that are not below the root: by their number, in its pid namespace, no older than it. */
function orphans(
  checkpoint: Checkpoint,
  root: number,
  known: ReadonlyMap<number, LiveTask>,
): number[] {
  const lost = checkpoint.tasks.filter(
    (task) => task.state !== "dead" && !known.has(task.pid) && wasAdopted(checkpoint, task),
  );
  const start = lost.length === 0 ? undefined : readStat(root)?.starttime;
  if (start === undefined) return [];
  const wanted = new Set(lost.map(({ pid }) => pid));
  const namespace = linkOf(root, "ns/pid");
  return listProcesses()
    .filter(({ starttime }) => starttime >= start)
    .map(({ pid }) => pid)
    .filter((pid) => wanted.has(innermostPid(pid) ?? 0) && linkOf(pid, "ns/pid") === namespace);
}

/** The process that the saved root task is now, when it kept its number and runs the program that the images name. */
export function findRoot(checkpoint: Checkpoint): number | undefined {
  const root = checkpoint.root;
  if (root === undefined || readStat(root.pid) === undefined) return undefined;
  return runsProgramOf(root, root.pid, checkpoint) ? root.pid : undefined;
}

/** Whether a process runs the program that the images name for a task, if they name one. */
export function runsProgramOf(task: Task, pid: number, { openFiles }: Checkpoint): boolean {
  const program = openFiles.get(task.mm?.exe_file_id ?? 0)?.reg?.name;
  if (program === undefined) return true;
  const proc = new ProcessFiles(pid);
  const found = proc.link("exe");
  const runs = found === program || (found !== undefined && proc.leads(program) === found);
  proc.close();
  return runs;
}
