/** End a tree that must not stay. */
import { childrenOf } from "../host/processes.ts";
import { kill } from "../sys/process.ts";

const SIGKILL = 9;
const SIGSTOP = 19;

/**
 * Kill the process `root` and everything below it. It is stopped from the top down first, so that nothing can fork
 * away meanwhile; then killed.
 */
export function killTree(root: number): void {
  const doomed: number[] = [];
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (doomed.includes(pid) || kill(pid, SIGSTOP) < 0) continue;
    doomed.push(pid);
    pending.push(...childrenOf(pid));
  }
  for (const pid of doomed) kill(pid, SIGKILL);
}
