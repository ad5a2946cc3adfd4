/** The numbers of processes in a pid namespace that is seen from outside: NSpid of proc_pid_status(5). */
import type { Checkpoint } from "../image/index.ts";
import {
  childrenOf,
  innermostPid,
  linkOf,
  listProcesses,
  parseStatus,
  procFile,
} from "../host/processes.ts";
import { runsProgramOf } from "../verify/index.ts";
import { INIT } from "./steps.ts";

/** By namespace, from this one inwards. */
const numbersOf = (pid: number): number[] =>
  (parseStatus(procFile(pid, "status")).get("NSpid") ?? "").split(/\s+/).map(Number);

/** The process below an init of a namespace that has this number there; undefined: none. */
export function outside(init: number, number: number): number | undefined {
  const level = numbersOf(init).length - 1;
  const seen = new Set([init]);
  for (const pid of seen) {
    if (numbersOf(pid)[level] === number) return pid;
    for (const child of childrenOf(pid)) seen.add(child);
  }
  return undefined;
}

/** Numbers that CRIU picks for helpers stand next to a task's. */
const ROOM = 1000;

/**
 * The number behind which the kernel is to go on, in a new namespace, so that neither CRIU nor what it starts is given one that
 * the tree needs; undefined: the first ones will do.
 */
export function numberBefore(checkpoint: Checkpoint): number | undefined {
  const needed = checkpoint.tasks.flatMap((task) => [
    task.pid,
    task.sid,
    task.pgid,
    ...task.threads.map(({ tid }) => tid),
  ]);
  const numbers = needed.filter((number) => number > 0);
  const least = numbers.reduce((one, other) => Math.min(one, other), Infinity);
  return least > ROOM ? undefined : numbers.reduce((one, other) => Math.max(one, other), 0) + ROOM;
}

/** The processes that have the root task's number in a namespace of recriu's making, and run its program. */
export const rootsInside = (checkpoint: Checkpoint, { root } = checkpoint): number[] =>
  listProcesses()
    .map(({ pid }) => pid)
    .filter(
      (pid) =>
        root !== undefined &&
        innermostPid(pid) === root.pid &&
        runsProgramOf(root, pid, checkpoint) &&
        initOf(pid) !== undefined,
    );

/** The init of recriu's own above a process of this machine, if its namespace has one. */
export function initOf(pid: number): number | undefined {
  const namespace = linkOf(pid, "ns/pid");
  if (namespace === undefined || namespace === linkOf("self", "ns/pid")) return undefined;
  let at: number | undefined = pid;
  for (const seen = new Set<number>(); at !== undefined && !seen.has(at);) {
    seen.add(at);
    if (numbersOf(at).at(-1) === 1)
      return linkOf(at, "exe")?.startsWith(`/memfd:${INIT}`) ? at : undefined;
    const parent: number = Number(parseStatus(procFile(at, "status")).get("PPid"));
    at = parent > 0 ? parent : undefined;
  }
  return undefined;
}
