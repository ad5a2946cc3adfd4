/** Tasks and threads: that each exists under its number, with its parent, group and session. */
import type { Status } from "../host/processes.ts";
import { wasAdopted } from "../image/index.ts";
import type { LiveTask } from "./live.ts";
import type { Facet } from "./facet.ts";

export const tasks: Facet = {
  id: "tasks",
  final: "outside",
  compare({ checkpoint, live, request }, { same }) {
    for (const task of checkpoint.tasks) {
      const now = live.tasks.get(task.pid);
      same(task.pid, "exists", task.state === "dead" ? "zombie" : "alive", kind(now));
    }
    for (const stranger of live.strangers)
      same(null, "a process that was not saved", "none", stranger);
    const savedPid = new Map([...live.tasks.values()].map(({ pid, task }) => [pid, task.pid]));
    for (const { task, status } of live.tasks.values()) {
      const ids = idsIn(status());
      if (task !== checkpoint.root) {
        const adopted = wasAdopted(checkpoint, task) ? "tolerated" : undefined;
        same(task.pid, "parent", task.ppid, savedPid.get(ids.ppid), adopted);
      }
      // A root that did not lead its session or group is given those of CRIU (--shell-job), and whoever shared them too.
      const root = checkpoint.root!;
      const session = task.sid === root.sid && root.sid !== root.pid ? "expected" : "fatal";
      const group = task.pgid === root.pgid && root.pgid !== root.pid ? "expected" : "fatal";
      same(task.pid, "session", task.sid, ids.session, request.shellJob ? session : "fatal");
      same(task.pid, "process group", task.pgid, ids.group, request.shellJob ? group : "fatal");
    }
  },
};

export const threads: Facet = {
  id: "threads",
  final: "outside",
  compare({ live }, { same }) {
    for (const { task, threads: now, state } of live.tasks.values()) {
      if (task.state === "dead" || state === "Z") continue;
      const saved = new Set(task.threads.map((thread) => thread.tid));
      for (const tid of saved)
        same(task.pid, `thread ${tid}`, "exists", now.has(tid) ? "exists" : undefined);
      for (const tid of now.keys())
        if (!saved.has(tid)) same(task.pid, "a thread that was not saved", "none", tid);
    }
  },
};

function kind(now: LiveTask | undefined): string | undefined {
  if (now === undefined) return undefined;
  return now.state === "Z" ? "zombie" : "alive";
}

/** Group and session as the innermost pid namespace numbers them, the parent as this machine does. */
function idsIn(status: Status): {
  ppid: number;
  group: number | undefined;
  session: number | undefined;
} {
  const last = (name: string) => {
    const value = status.get(name)?.split(/\s+/).pop();
    return value === undefined ? undefined : Number(value);
  };
  return { ppid: last("PPid") ?? 0, group: last("NSpgid"), session: last("NSsid") };
}
