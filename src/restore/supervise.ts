/** A running CRIU, from its start to its end: signals are passed on, time is kept, nothing half-made is left. */
import type { Exit, RunningCriu } from "../criu/index.ts";
import { childrenOf } from "../host/processes.ts";
import { gone, killTree } from "./tree.ts";

export interface Supervised {
  exit: Exit;
  /** The signal that recriu was sent. */
  interrupted: NodeJS.Signals | undefined;
  /** The tree did not run when the time was over. */
  overdue: boolean;
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Wait until CRIU ends. Before `resumed` says that the tree runs, a signal or the end of `timeout` seconds ends CRIU and
 * all that it has made: it heeds no polite signal then. Afterwards its own behaviour counts.
 */
export async function supervise(
  child: RunningCriu,
  resumed: () => boolean,
  timeout: number | undefined,
): Promise<Supervised> {
  const seen: Omit<Supervised, "exit"> = { interrupted: undefined, overdue: false };
  const forward = (signal: NodeJS.Signals) => {
    seen.interrupted = signal;
    child.kill(resumed() ? signal : "SIGKILL");
  };
  // CRIU can hang: on a lock that somebody holds, on images that end early.
  const expire = () => {
    if (resumed()) return;
    seen.overdue = true;
    child.kill("SIGKILL");
  };
  for (const signal of ENDING) process.on(signal, forward);
  const timer = timeout ? setTimeout(expire, timeout * 1000) : undefined;
  const exit = await child.exited;
  clearTimeout(timer);
  for (const signal of ENDING) process.removeListener(signal, forward);
  // What a dead CRIU leaves has become recriu's child, as recriu is its subreaper.
  if (exit.code !== 0 && !resumed()) await gone(childrenOf(process.pid).flatMap(killTree));
  return { exit, ...seen };
}
