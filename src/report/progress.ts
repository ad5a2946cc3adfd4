/**
 * How far a restore is: one line on a terminal, gone when the tree runs, or JSON lines on a descriptor
 * (docs/progress.schema.json), of which the last says that recriu is done.
 */
import { writeSync } from "node:fs";
import { writable } from "../sys/process.ts";
import { obeysEscapes } from "./terminal.ts";

const phases = [
  "preparing",
  "making tasks",
  "restoring memory",
  "verifying",
  "resumed",
  "done",
] as const;

interface Progress {
  phase: (typeof phases)[number];
  tasks: { made: number; of: number };
  /** Bytes: resident in the tasks, of what the page maps promise. */
  memory: { restored: number; of: number };
}

export interface ProgressReport {
  /** ms after which the first is wanted. */
  readonly after: number;
  /** A record that goes back behind an earlier one is brought up to it: memory is given back, too. */
  tell(progress: Progress): void;
  /** The tree runs, or there will be none: a terminal hears nothing more. */
  end(): void;
  /** recriu ends with this exit code: the last record. */
  done(exit: number): void;
}

/** Where progress is told: on a terminal of a restore that takes long, to a program of every one. Undefined: nowhere. */
export function progressReport(fd: number | undefined, quiet: boolean): ProgressReport | undefined {
  const forward = onlyForward();
  if (fd !== undefined) {
    let before = nothing;
    return {
      after: 0,
      tell: (progress) => writeLine(fd, (before = forward(progress)), 0),
      end() {},
      done: (exit) => writeLine(fd, { ...before, phase: "done", exit }, PATIENCE),
    };
  }
  if (quiet || !obeysEscapes()) return undefined;
  let state: "nothing shown" | "shown" | "ended" = "nothing shown";
  return {
    after: 1000,
    tell(progress) {
      if (state === "ended") return;
      state = "shown";
      rewrite(lineOf(forward(progress)));
    },
    end() {
      if (state === "shown") rewrite("");
      state = "ended";
    },
    done() {},
  };
}

const nothing: Progress = {
  phase: "preparing",
  tasks: { made: 0, of: 0 },
  memory: { restored: 0, of: 0 },
};

function onlyForward(): (progress: Progress) => Progress {
  let { phase, tasks, memory } = nothing;
  return (now) => {
    phase = phases[Math.max(phases.indexOf(phase), phases.indexOf(now.phase))]!;
    tasks = { ...now.tasks, made: Math.max(tasks.made, now.tasks.made) };
    memory = { ...now.memory, restored: Math.max(memory.restored, now.memory.restored) };
    return { phase, tasks, memory };
  };
}

/** How long, in ms, a reader may take to make room for the last record. */
const PATIENCE = 1000;

/** Since recriu began. */
const elapsed = (): number => Math.round(performance.now());

/** A reader that is gone, or slow, does not hold a restore up. */
function writeLine(fd: number, record: Progress & { exit?: number }, patience: number): void {
  try {
    if (!writable(fd, patience)) return;
    writeSync(fd, `${JSON.stringify({ ...record, elapsed_ms: elapsed() })}\n`);
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
    if (total < MUCH || performance.now() - last < BETWEEN || !obeysEscapes()) return;
    last = performance.now();
    shown = true;
    rewrite(`hashing: ${mebibytes(done)} of ${mebibytes(total)} MiB`);
  };
  return { tell, end: () => shown && rewrite("") };
}

const mebibytes = (bytes: number): string => (bytes / 1048576).toFixed(0);

const lineOf = ({ phase, tasks, memory }: Progress): string =>
  `${phase}: task ${tasks.made} of ${tasks.of}, ${mebibytes(memory.restored)} of ${mebibytes(memory.of)} MiB, ` +
  `${(elapsed() / 1000).toFixed(1)} s`;

/** One line that is written over the one before; "" clears it. Only for a terminal. */
function rewrite(text: string): void {
  try {
    writeSync(2, `\r\u001b[K${text}`);
  } catch {
    // The terminal is gone.
  }
}
