/** End a tree that must not stay. */
import { childrenOf, hasEnded, isEnding, listProcesses, readStat } from "../host/processes.ts";
import { SIGKILL, SIGSTOP } from "../sys/linux.ts";
import { kill } from "../sys/process.ts";

/** How long, in ms, the kernel may take to end what was killed. */
const PATIENCE = 5000;

/**
 * Kill these processes and everything below them. It is stopped from the top down first, so that nothing can fork
 * away meanwhile; then killed. Returns the killed.
 */
export function killTree(...roots: number[]): number[] {
  const doomed: number[] = [];
  const pending = [...roots];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (doomed.includes(pid) || kill(pid, SIGSTOP) < 0) continue;
    doomed.push(pid);
    pending.push(...childrenOf(pid));
  }
  for (const pid of doomed) kill(pid, SIGKILL);
  return doomed;
}

/** What is on its way to its end now, and not there yet. */
export const dying = (): number[] =>
  listProcesses()
    .filter((process) => isEnding(process) && !hasEnded(process))
    .map(({ pid }) => pid);

/** Wait until processes that were killed have let go of what they had. */
export async function gone(killed: readonly number[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  const lives = (pid: number) => {
    const stat = readStat(pid);
    return stat !== undefined && !hasEnded(stat);
  };
  while (killed.some(lives) && performance.now() < end) await Bun.sleep(1);
}
