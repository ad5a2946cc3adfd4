/** Resource limits and what else of a process CRIU sets without looking at the result. */
import type { ProcessFiles } from "../host/process-files.ts";
import { statAt } from "../sys/look.ts";
import type { Task } from "../image/index.ts";
import { getLimit } from "../sys/process.ts";
import { type Facet, ownUsers } from "./facet.ts";

/** RLIMIT_* by number, getrlimit(2). */
const names =
  "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME".split(
    " ",
  );

const INFINITY = 0xffffffffffffffffn;
const show = (limit: bigint): string => (limit === INFINITY ? "unlimited" : limit.toString());
const pair = (soft: bigint, hard: bigint): string => `${show(soft)} of ${show(hard)}`;

/** A line of /proc/PID/limits, which has a title and then the limits in the order of their numbers. */
function readLimit(proc: ProcessFiles, resource: number): string | undefined {
  const line = proc.read("limits")?.split("\n")[resource + 1];
  const [soft, hard] = line?.slice(26).trim().split(/\s+/) ?? [];
  return soft === undefined || hard === undefined ? undefined : `${soft} of ${hard}`;
}

export const limits: Facet = {
  id: "limits",
  final: "state",
  compare({ live }, { same }) {
    for (const { task, pid, proc } of live.tasks.values()) {
      for (const { resource, name, cur, max, shown } of savedLimits(task)) {
        const now = getLimit(pid, resource);
        // prlimit(2) of another user's process takes CAP_SYS_RESOURCE; anybody may read the file.
        const found =
          typeof now === "number"
            ? readLimit(proc, resource)
            : now.soft === cur && now.hard === max
              ? shown
              : pair(now.soft, now.hard);
        // A program may change its own, but not raise what it was held to.
        const lowered = typeof now !== "number" && now.hard <= max && !live.stopped;
        same(task.pid, name, shown, found, lowered ? "changed" : undefined);
      }
    }
  },
};

interface Saved {
  resource: number;
  name: string;
  cur: bigint;
  max: bigint;
  shown: string;
}

/** By the list of an image; of forked tasks it is the same. */
const cache = new WeakMap<object, readonly Saved[]>();

function savedLimits({ core }: Task): readonly Saved[] {
  const list = core?.tc?.rlimits?.rlimits;
  if (list === undefined) return [];
  let found = cache.get(list);
  if (found === undefined) {
    found = list.map(({ cur, max }, resource) => {
      const name = `RLIMIT_${names[resource] ?? resource}`;
      return { resource, name, cur, max, shown: pair(cur, max) };
    });
    cache.set(list, found);
  }
  return found;
}

export const process: Facet = {
  id: "process",
  final: "state",
  moving: true,
  compare({ checkpoint, live }, { same }) {
    const own = ownUsers(checkpoint);
    for (const { task, pid, proc } of live.tasks.values()) {
      if (task.state === "dead") continue;
      const saved = task.core?.tc;
      const euid = task.core?.thread_core?.creds?.euid;
      const dumpable = task.mm?.dumpable;
      if (dumpable !== undefined && own && euid)
        same(task.pid, "dumpable", dumpable === 1 ? "yes" : "no", dumpableOf(pid, euid));
      // 0 is not written by CRIU: then the tree has what CRIU had (restore-side oom_score_adj).
      if (saved?.oom_score_adj !== undefined) {
        const adjustment = proc.read("oom_score_adj")?.trim();
        same(
          task.pid,
          "oom_score_adj",
          saved.oom_score_adj,
          adjustment,
          saved.oom_score_adj === 0 ? "tolerated" : undefined,
        );
      }
    }
  },
};

/** What only the process itself can change. */
export const ownProcess: Facet = {
  id: "process",
  final: "tree",
  moving: true,
  compare({ live }, { same }) {
    for (const { task, proc, status } of live.tasks.values()) {
      if (task.state === "dead") continue;
      const saved = task.core?.tc;
      const personality = proc.read("personality")?.trim();
      if (saved !== undefined && personality !== undefined)
        same(task.pid, "personality", saved.personality, Number.parseInt(personality, 16));
      const umask = task.fs?.umask;
      if (umask !== undefined)
        same(task.pid, "umask", umask.toString(8).padStart(4, "0"), status().get("Umask"));
    }
  },
};

/** proc(5): what is in /proc/PID belongs to the task's user when it is dumpable, else to root; of root's own tasks nothing can be told. */
function dumpableOf(pid: number, euid: number): string | undefined {
  const stat = statAt(`/proc/${pid}/environ`);
  return typeof stat === "number" ? undefined : stat.uid === euid ? "yes" : "no";
}
