/** How far a restore is, looked at from outside while CRIU works. */
import { descendantsOf, procFile } from "../host/processes.ts";
import type { Checkpoint } from "../image/index.ts";
import type { ProgressReport } from "../report/progress.ts";
import { pageSize } from "../sys/process.ts";
import type { State } from "./gatekeeper.ts";

/** Between two looks, in ms. */
const INTERVAL_MS = 250;

/** Look at the tree below CRIU from time to time and tell. Returns a function that ends it. */
export function watch(
  checkpoint: Checkpoint,
  criu: number,
  state: () => State,
  report: ProgressReport,
): () => void {
  const all = checkpoint.tasks.length;
  const promised = checkpoint.pages().reduce((sum, { memory }) => sum + memory, 0);
  const look = () => {
    if (state().at === "running") return;
    const made = descendantsOf(criu);
    const restored = made.reduce((sum, pid) => sum + residentBytes(pid), 0);
    const making =
      made.length === 0 ? "preparing" : made.length < all ? "making tasks" : "restoring memory";
    report.tell({
      phase: state().root === null ? making : "verifying",
      tasks: { made: Math.min(made.length, all), of: all },
      memory: { restored: Math.min(restored, promised), of: promised },
    });
  };
  let interval: Timer | undefined;
  const first = setTimeout(() => {
    look();
    interval = setInterval(look, INTERVAL_MS);
  }, report.after);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    clearTimeout(first);
    clearInterval(interval);
    report.end();
    // What was seen last is brought forward.
    if (state().at === "running")
      report.tell({
        phase: "resumed",
        tasks: { made: 0, of: all },
        memory: { restored: 0, of: promised },
      });
  };
}

/** Second field of /proc/PID/statm, in pages. */
function residentBytes(pid: number): number {
  return Number(procFile(pid, "statm")?.split(" ")[1] ?? 0) * pageSize();
}
