/** The tree of the images is there: what it holds is its own, and no process is to be ended for it. */
import type { Stat } from "../../host/index.ts";
import { type Task, wasAdopted } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** What is found because the tree runs: numbers, names and ports that it has itself. Not told beside it. */
export const heldByTheTree: ReadonlySet<string> = new Set([
  "pid-in-use",
  "unix-socket-busy",
  "tcp-port-busy",
  "udp-port-busy",
  "tcp-connection-busy",
  "locks-held",
  "tty-index-busy",
]);

export const alreadyRunning: Check = {
  title: "The tree of the images is running",
  reads:
    "pstree.img, core-*.img, mm-*.img; /proc/PID/stat and exe of the processes of the same numbers",
  why:
    "The tree was restored already, or was left running by its dump. Every task that lived at the dump is alive under its number, " +
    "with its name, its program and its parent, and is no older than that. It holds its numbers, sockets and locks itself, so it is no stranger " +
    "that could be ended to make room. `recriu verify` compares it with the images. A tree of which only a part is there is not taken for it.",
  proof: "criu",
  isolate: "pid",
  run(context) {
    const { checkpoint, host, namespaces, request } = context;
    const { root } = checkpoint;
    if (root === undefined || namespaces.created.pid) return [];
    const tasks = livingTasks(checkpoint);
    // Most often none of the numbers is in use.
    if (tasks.length === 0 || !host.exists(`/proc/${root.pid}`)) return [];
    const now = new Map(host.processes.map((process) => [process.pid, process]));
    if (!tasks.every((task) => isAlive(context, task, now))) return [];
    const second = context.isolate.has("pid");
    const count = tasks.length === 1 ? "its task is" : `its ${tasks.length} tasks are all`;
    return [
      {
        severity: second ? "warning" : "blocker",
        task: root.pid,
        image: "pstree.img",
        subject: `task ${root.pid}`,
        message: `this tree is running: ${count} alive under the old numbers, with the names, programs and parents of the images${second ? "; what is restored is a second one, which has the same files open" : ""}`,
        criu_message: second ? null : `Can't fork for ${root.pid}: File exists`,
        isolate: second ? null : undefined,
        remedy: {
          kind: "human",
          text: second
            ? "end one of them where they write to the same files; this compares the one that runs with the images"
            : "nothing need be restored; this compares it with the images. Whether what it did since may be lost, only you can tell",
          command: sh`recriu verify -D ${request.typed.get(checkpoint.dir) ?? checkpoint.dir}`,
        },
      },
    ];
  },
};

/** Whether the process of the task's number is that task, as far as what a running task does not change can tell. */
function isAlive(context: Context, task: Task, now: ReadonlyMap<number, Stat>): boolean {
  const { checkpoint } = context;
  const process = now.get(task.pid);
  if (process === undefined || process.state === "Z" || process.state === "X") return false;
  const saved = task.core?.thread_core?.comm ?? task.core?.tc?.comm;
  if (saved !== process.comm || !runsItsProgram(context, task)) return false;
  if (task === checkpoint.root || wasAdopted(checkpoint, task)) return true;
  const parent = now.get(task.ppid);
  return (
    process.ppid === task.ppid && parent !== undefined && parent.starttime <= process.starttime
  );
}

/** A program that was deleted at the dump has another name since, and in a mount namespace of its own no path here. */
function runsItsProgram({ checkpoint, host, namespaces }: Context, { pid, mm }: Task): boolean {
  const reg = checkpoint.openFiles.get(mm?.exe_file_id ?? 0)?.reg;
  if (reg === undefined || checkpoint.remapped.has(reg.id)) return true;
  const place = namespaces.place(reg.name, reg.mnt_id);
  const there = host.identity(`/proc/${pid}/exe`);
  return !place.onHost || (there !== undefined && there === host.identity(place.hostPath));
}
