/**
 * A stopped job of the caller's session. When the process that connects a process group to its session ends, the kernel
 * sends a group with a stopped member SIGHUP and SIGCONT (exit(3p); kernel/exit.c, kill_orphaned_pgrp). Of a tree that
 * is restored detached that process is CRIU, or recriu, and whether the tree has stopped by then is chance. So the group
 * is kept connected until that process has ended, and is then left by one that is no longer in the session: the kernel
 * looks only at those that are.
 */
import type { Request } from "../criu/index.ts";
import { readStat } from "../host/processes.ts";
import type { Checkpoint } from "../image/index.ts";
import type { Hold } from "../sys/asking-program.ts";

/** Whether a restore of this request gives a stopped tree back and ends. */
export const leavesStopped = ({ tasks }: Checkpoint, request: Request): boolean =>
  request.detached && (request.leaveStopped || tasks.some(({ state }) => state === "stopped"));

/** What to keep connected until process `last`, the last of this restore's above the tree, has ended; undefined: nothing. */
export function stoppedJob(rootPid: number, last: number): Hold | undefined {
  const [root, parent] = [readStat(rootPid), readStat(last)];
  if (root === undefined || parent === undefined || root.session !== parent.session)
    return undefined;
  const { pgrp: group } = root;
  if (parent.pgrp !== group) return { group, outside: parent.pgrp, until: last };
  // The tree is in the group of the process that ends, which its parent connects to the session.
  const caller = readStat(parent.ppid);
  if (caller?.session !== root.session || caller.pgrp === group) return undefined;
  return { group, outside: caller.pgrp, until: last };
}
