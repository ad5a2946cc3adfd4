/**
 * In a fresh pid namespace the numbers that the images need are small, and so are those of recriu's own threads. Before
 * CRIU runs they move aside: the kernel is told to go on far above (ns_last_pid, proc_sys_kernel(5)), and recriu is
 * executed again in its own place, so that its threads are made anew with numbers up there. Its own pid stays.
 */
import { writeFileSync } from "node:fs";
import type { Request } from "../criu/index.ts";
import { procFile, threadsOf } from "../host/processes.ts";
import type { Checkpoint } from "../image/index.ts";
import { execute, keepOpen } from "../sys/process.ts";

/** Set in the environment of a recriu that has moved: once is enough. */
const MOVED = "RECRIU_MOVED_ASIDE";
/** Room for what is started between now and the tree: CRIU, its helpers and scripts. */
const ROOM = 300;

/** Move aside if a number of the images is that of one of recriu's threads. Returns where nothing has to be done, or nothing can. */
export function moveAside(checkpoint: Checkpoint, request: Request): void {
  if (process.env[MOVED] !== undefined) return;
  const needed = new Set(
    checkpoint.tasks.flatMap((task) => [
      task.sid,
      task.pgid,
      ...task.threads.map(({ tid }) => tid),
    ]),
  );
  const inTheWay = threadsOf(process.pid).some((tid) => tid !== process.pid && needed.has(tid));
  const start = Math.max(...needed) + 1;
  const limit = Number(procFile("sys", "kernel/pid_max") ?? 32768);
  if (!inTheWay || start + ROOM > limit) return;
  try {
    writeFileSync("/proc/sys/kernel/ns_last_pid", String(start));
  } catch {
    return; // not allowed: pid-in-use names whose the numbers are
  }
  for (const fd of request.fds) keepOpen(fd);
  execute("/proc/self/exe", process.argv0, process.argv.slice(2), { ...process.env, [MOVED]: "1" });
}
