/** How far a restore is: one line on a terminal, gone at the end, or a JSON line on a descriptor. */
import { writeSync } from "node:fs";
import { isTerminal } from "../sys/process.ts";

export interface Progress {
  phase: "preparing" | "making tasks" | "restoring memory" | "verifying" | "resumed";
  tasks: { made: number; of: number };
  /** Bytes: resident in the tasks, of what the page maps promise. */
  memory: { restored: number; of: number };
  elapsed_ms: number;
}

export interface ProgressReport {
  /** ms after which the first is wanted. */
  after: number;
  tell(progress: Progress): void;
  end(): void;
}

/** Who wants to hear: a person only of a restore that takes long, a program of every one. Undefined: nobody. */
export function progressReport(fd: number | undefined, quiet: boolean): ProgressReport | undefined {
  if (fd !== undefined)
    return { after: 0, tell: (progress) => writeLine(fd, progress), end: () => {} };
  if (quiet || !isTerminal(2)) return undefined;
  return { after: 1000, tell: (progress) => rewrite(lineOf(progress)), end: () => rewrite("") };
}

/** A reader that is gone, or slow, does not hold a restore up. */
function writeLine(fd: number, progress: Progress): void {
  try {
    writeSync(fd, `${JSON.stringify(progress)}\n`);
  } catch {
    // EPIPE, EAGAIN: this one is not heard.
  }
}

/** A line from time to time of what is hashed, for a person and where there is much of it; `done`, to be called at the end, clears it. */
export function hashingReport(): { tell: (done: number, total: number) => void; end: () => void } {
  const MUCH = 256 << 20;
  const BETWEEN = 250;
  let last = performance.now();
  let shown = false;
  const tell = (done: number, total: number): void => {
    if (total < MUCH || performance.now() - last < BETWEEN || !isTerminal(2)) return;
    last = performance.now();
    shown = true;
    rewrite(`hashing: ${mebibytes(done)} of ${mebibytes(total)} MiB`);
  };
  return { tell, end: () => shown && rewrite("") };
}

const mebibytes = (bytes: number): string => (bytes / 1048576).toFixed(0);

const lineOf = ({ phase, tasks, memory, elapsed_ms }: Progress): string =>
  `${phase}: task ${tasks.made} of ${tasks.of}, ${mebibytes(memory.restored)} of ${mebibytes(memory.of)} MiB, ` +
  `${(elapsed_ms / 1000).toFixed(1)} s`;

/** One line that is written over the one before; "" clears it. Only for a terminal. */
function rewrite(text: string): void {
  try {
    writeSync(2, `\r\u001b[K${text}`);
  } catch {
    // The terminal is gone: nobody looks.
  }
}
