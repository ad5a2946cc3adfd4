/**
 * Tasks and threads: that each exists under its number, with its parent, group and session. A tree that runs makes
 * children and threads, ends them, and moves to groups and sessions of its own: that is what changed since. What no
 * program can do to itself was never so.
 */
import { parseStat, type Status } from "../host/processes.ts";
import { wasAdopted } from "../image/index.ts";
import type { LiveTask } from "./live.ts";
import type { Facet } from "./facet.ts";

export const tasks: Facet = {
  id: "tasks",
  final: "outside",
  compare({ checkpoint, live, request }, { same }) {
    const changed = live.stopped ? undefined : "changed";
    for (const task of checkpoint.tasks) {
      const now = live.tasks.get(task.pid);
      const dead = task.state === "dead";
      // The dead do not come to life; and without its root there is no tree.
      const never = (dead && kind(now) === "alive") || task === checkpoint.root;
      const unequal = never ? "fatal" : changed;
      same(task.pid, "exists", dead ? "zombie" : "alive", kind(now), unequal);
    }
    // Before the last saved task was there, nothing of the tree ran that could have made another.
    let last = 0n;
    for (const { stat } of live.tasks.values()) last = laterOf(last, parseStat(stat)?.starttime);
    for (const { pid, starttime } of live.strangers) {
      const since = starttime >= last ? changed : "fatal";
      same(null, "a process that was not saved", "none", pid, since);
    }
    const savedPid = new Map([...live.tasks.values()].map(({ pid, task }) => [pid, task.pid]));
    for (const { task, status } of live.tasks.values()) {
      const ids = idsIn(status());
      if (task !== checkpoint.root) {
        const adopted = wasAdopted(checkpoint, task) ? "tolerated" : undefined;
        // Only the end of its parent gives a task another.
        const had = checkpoint.tasks.some(({ pid }) => pid === task.ppid);
        const parent = live.tasks.get(task.ppid);
        const ended = had && (parent === undefined || parent.state === "Z");
        const orphaned = ended ? changed : "fatal";
        same(task.pid, "parent", task.ppid, savedPid.get(ids.ppid), adopted ?? orphaned);
      }
      // A root that did not lead its session or group is given those of CRIU (--shell-job), and whoever shared them too.
      const root = checkpoint.root!;
      const job = request.shellJob;
      const session = job && task.sid === root.sid && root.sid !== root.pid;
      const group = job && task.pgid === root.pgid && root.pgid !== root.pid;
      // setsid(2) gives a session of its own, setpgid(2) any group of its session.
      const tolerance = ids.session === task.pid ? changed : "fatal";
      same(task.pid, "session", task.sid, ids.session, session ? "expected" : tolerance);
      same(task.pid, "process group", task.pgid, ids.group, group ? "expected" : changed);
    }
  },
};

export const threads: Facet = {
  id: "threads",
  final: "outside",
  moving: true,
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

const laterOf = (one: bigint, other: bigint | undefined): bigint =>
  other !== undefined && other > one ? other : one;

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
