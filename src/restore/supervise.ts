/** A running CRIU, from its start to its end: signals are passed on, time is kept, nothing half-made is left. */
import type { Exit, RunningCriu } from "../criu/index.ts";
import { childrenOf } from "../host/processes.ts";
import { watchForStall } from "./stall.ts";
import { standstillOf } from "./standstill.ts";
import { gone, killTree } from "./tree.ts";

export interface Supervised {
  exit: Exit;
  /** The signal that recriu was sent. */
  interrupted: NodeJS.Signals | undefined;
  /** CRIU was given up: the tree did not run when the time was over, or nothing moved any more. */
  givenUp: "overdue" | "stalled" | undefined;
  /** What it and its tasks were at then. */
  at: string[];
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Wait until CRIU ends. Before `resumed` says that the tree runs, a signal, the end of `timeoutSeconds` or `stallSeconds`
 * in which nothing moves end CRIU and all that it has made: it heeds no polite signal then. Afterwards its own
 * behaviour counts.
 */
export async function supervise(
  child: RunningCriu,
  resumed: () => boolean,
  { timeoutSeconds, stallSeconds }: { timeoutSeconds: number | undefined; stallSeconds: number },
): Promise<Supervised> {
  const seen: Omit<Supervised, "exit"> = {
    interrupted: undefined,
    givenUp: undefined,
    at: [],
  };
  const forward = (signal: NodeJS.Signals) => {
    seen.interrupted = signal;
    child.kill(resumed() ? signal : "SIGKILL");
  };
  const giveUp = (why: "overdue" | "stalled") => {
    if (resumed()) return;
    seen.givenUp = why;
    seen.at = standstillOf(child.pid);
    child.kill("SIGKILL");
  };
  for (const signal of ENDING) process.on(signal, forward);
  const timer = timeoutSeconds ? setTimeout(giveUp, timeoutSeconds * 1000, "overdue") : undefined;
  const stopWatching = watchForStall(child.pid, stallSeconds, () => giveUp("stalled"));
  const exit = await child.exited;
  clearTimeout(timer);
  stopWatching();
  for (const signal of ENDING) process.removeListener(signal, forward);
  if (exit.code !== 0) await endHalfMade(child, resumed());
  return { exit, ...seen };
}

/** End a CRIU and all that it has made, if it does not run yet. What a dead CRIU leaves is recriu's child: it is its subreaper. */
export async function endHalfMade(child: RunningCriu, resumed: boolean): Promise<void> {
  if (resumed) return;
  child.kill("SIGKILL");
  await child.exited;
  await gone(killTree(...childrenOf(process.pid)));
}
