/**
 * A tree that is only said: tasks as images would have them, and what /proc would say of each. So every value of a facet can
 * be made to differ by itself, in a tree that waits at the gate and in one that runs. What only the kernel tells (limits,
 * scheduling, what is in open files) is asked of this process: the tasks' pid on this machine is its own.
 */
import { type Request, requestFrom, requestOptions } from "../../src/criu/index.ts";
import { ProcessFiles } from "../../src/host/process-files.ts";
import { parseStatus } from "../../src/host/processes.ts";
import type { Checkpoint, Task } from "../../src/image/index.ts";
import type { Facet } from "../../src/verify/facet.ts";
import type { LiveTask, LiveTree } from "../../src/verify/live.ts";

type Deep<T> = T extends bigint | string | number | boolean | undefined
  ? T
  : T extends readonly (infer U)[]
    ? readonly Deep<U>[]
    : { [K in keyof T]?: Deep<T[K]> | undefined };

/** A saved task; what is not said is that of a task 10 that leads its session and has one thread. */
export type Saved = Deep<Task>;

/** What this machine says of a task. */
export interface Now {
  /** Its number here; that of this process when it is not said. */
  readonly pid?: number;
  readonly state?: string;
  readonly comm?: string;
  readonly starttime?: number;
  readonly stat?: string;
  /** Thread ids of the images to those here. */
  readonly threads?: readonly (readonly [number, number])[];
  /** Fields of /proc/PID/status, of every thread. */
  readonly status?: Readonly<Record<string, string>>;
  /** Files of /proc/PID, and where its links lead. */
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly fds?: readonly number[] | undefined;
  /** Not what is said of it, but what /proc says of `pid`. */
  readonly real?: boolean;
}

export interface Scene {
  readonly saved?: readonly Saved[];
  /** By the saved pid; a task that is not there is absent. One that is not said is there and says nothing. */
  readonly now?: Readonly<Record<number, Now | undefined>>;
  readonly checkpoint?: object;
  readonly words?: readonly string[];
  /** The tree waits at the gate (default), or runs. */
  readonly runs?: boolean;
  readonly strangers?: LiveTree["strangers"];
  readonly lostPriority?: number;
  readonly early?: boolean;
}

export const ROOT = 10;

const taskOf = (saved: Saved): Task => {
  const pid = saved.pid ?? ROOT;
  const core = saved.core;
  return {
    pid,
    ppid: pid === ROOT ? 0 : ROOT,
    pgid: ROOT,
    sid: ROOT,
    state: "alive",
    threads: [{ tid: pid, core }],
    fds: [],
    ...saved,
  } as unknown as Task;
};

function liveOf(task: Task, now: Now): LiveTask {
  const { pid = process.pid, state = "S", comm = "task", starttime = 100 } = now;
  const zeros = Array.from({ length: 30 }, () => 0).join(" ");
  const stat = now.stat ?? `${pid} (${comm}) ${state} 1 10 10 ${zeros.slice(0, 29)} ${starttime} 0`;
  const text = Object.entries(now.status ?? {}).map(([name, value]) => `${name}:\t${value}\n`);
  const files: Record<string, string> = now.files ?? {};
  const links: Record<string, string> = now.links ?? {};
  const threads = new Map(now.threads ?? task.threads.map(({ tid }) => [tid, tid] as const));
  return {
    task,
    pid,
    proc: now.real
      ? new ProcessFiles(pid)
      : ({
          pid,
          read: (name: string) => files[name],
          link: (name: string) => links[name],
          leads: () => undefined, // no links on the way
          descriptors: () => ("fds" in now ? now.fds : task.fds.map(({ fd }) => fd)),
          close() {},
        } as unknown as LiveTask["proc"]),
    stat,
    state,
    comm,
    threads,
    status: () => parseStatus(text.join("")),
  };
}

/** What `criu restore` with these words asks for. */
export function requestOf(words: readonly string[]): Request {
  const asked = requestFrom(["-D", "/nowhere", ...words], {}, requestOptions);
  if (!asked.ok) throw new Error(asked.problem);
  return asked.request;
}

/** The two sides of a scene. */
function sidesOf(scene: Scene): { checkpoint: Checkpoint; live: LiveTree } {
  const { saved = [{}], now = {}, runs = false, strangers = [] } = scene;
  const tasks = saved.map(taskOf);
  const there = tasks.flatMap((task): [number, LiveTask][] => {
    const told = task.pid in now ? now[task.pid] : {};
    return told === undefined ? [] : [[task.pid, liveOf(task, told)]];
  });
  const live = {
    root: process.pid,
    tasks: new Map(there),
    stopped: !runs,
    criu: "self" as const,
    strangers,
  };
  const checkpoint = {
    tasks,
    root: tasks[0],
    openFiles: new Map(),
    remapped: new Set(),
    files: new Map(),
    fileLocks: [],
    remaps: [],
    ttys: [],
    inventory: undefined,
    values: () => [],
    mounts: () => [],
    ...scene.checkpoint,
  } as unknown as Checkpoint;
  return { checkpoint, live };
}

/** What a facet says of a scene: `CLASS WHAT: SAVED, FOUND` for each difference, then `left out: REASON`. */
export function said(facet: Facet, scene: Scene): string[] {
  const { checkpoint, live } = sidesOf(scene);
  const grade = facet.moving && !live.stopped ? "changed" : "fatal";
  const lines: string[] = [];
  const request = requestOf(scene.words ?? []);
  const { lostPriority, early = false } = scene;
  facet.compare(
    { checkpoint, live, request, lostPriority, early },
    {
      same(task, what, expected, found, unequal = grade) {
        if (String(expected) === String(found)) return;
        const of = task === null || task === ROOT ? "" : ` of ${task}`;
        lines.push(`${unequal} ${what}${of}: ${expected}, ${found}`);
      },
      alike() {},
      leftOut(reason, count = 1) {
        if (count > 0) lines.push(`left out: ${reason}`);
      },
    },
  );
  return lines;
}
