/**
 * In a fresh pid namespace the numbers that the images need are small, and so are those of recriu's own threads and of
 * what it starts. Before CRIU runs they are changed: the kernel is told to go on above (ns_last_pid,
 * proc_sys_kernel(5)), and recriu is executed again in its own place, so that its threads are made anew with numbers
 * up there. Its own pid stays, or that of the front, which forks anew.
 */
import { writeFileSync } from "node:fs";
import type { Request } from "../criu/index.ts";
import { descendantsOf, procFile, threadsOf } from "../host/processes.ts";
import type { Checkpoint } from "../image/index.ts";
import { started } from "../sys/front.ts";
import { execute, keepOpen } from "../sys/process.ts";
import { RENUMBERED } from "./renumbered.ts";

/** Room for what is started between now and the tree: CRIU, its helpers and scripts. */
const ROOM = 300;

/** What has to move. */
interface Move {
  /** The first number that no process has. */
  start: number;
  /** One of recriu's own threads has a number that is needed. */
  again: boolean;
}

/** Whether a number of the images is that of one of recriu's threads, or will soon be given to what recriu starts. */
export function neededMove(checkpoint: Checkpoint): Move | undefined {
  // In a pid namespace of the tree's own recriu has no number.
  if (checkpoint.tasks.some(({ pid }) => pid === 1)) return undefined;
  const needed = new Set(
    checkpoint.tasks.flatMap((task) => [
      task.sid,
      task.pgid,
      ...task.threads.map(({ tid }) => tid),
    ]),
  );
  const next = Number(procFile("sys", "kernel/ns_last_pid") ?? 0);
  const again = threadsOf(process.pid).some((tid) => tid !== started && needed.has(tid));
  // What recriu has started (a CRIU that is held) counts with what it will start.
  const below = descendantsOf(process.pid).flatMap((pid) => threadsOf(pid));
  const soon =
    below.some((tid) => needed.has(tid)) ||
    [...needed].some((number) => number > next && number <= next + ROOM);
  const start = Math.max(next, ...needed) + 1;
  const limit = Number(procFile("sys", "kernel/pid_max") ?? 32768);
  return (!again && !soon) || start + ROOM > limit ? undefined : { start, again };
}

/**
 * Renumber where that is needed. Returns where nothing has to be done, or nothing can. `again` executes recriu in its
 * own place.
 */
export function renumber(checkpoint: Checkpoint, again: () => void): void {
  const move = neededMove(checkpoint);
  if (move === undefined) return;
  try {
    writeFileSync("/proc/sys/kernel/ns_last_pid", String(move.start));
  } catch {
    return; // not allowed: pid-in-use names the processes with the numbers
  }
  if (move.again && process.env[RENUMBERED] === undefined) again();
}

/** Execute `recriu restore` again, with the descriptors that the request names. */
export function startAgain({ fds }: Request): void {
  for (const fd of fds) keepOpen(fd);
  execute("/proc/self/exe", process.argv0, process.argv.slice(2), {
    ...process.env,
    [RENUMBERED]: "1",
  });
}
