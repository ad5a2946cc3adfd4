/** What a restore came to: plain values, printed as text or JSON. */
import type { Explanation } from "../explain/index.ts";
import type { Verdict } from "../verify/index.ts";

/** Exit codes of `recriu`, as README lists them. */
export const exitCode = {
  ok: 0,
  criuFailed: 1,
  /** `undo`: something is left, or may be. */
  left: 1,
  usage: 2,
  blocked: 3,
  repairable: 4,
  verification: 5,
  images: 6,
} as const;

export interface Run {
  /** CRIU's exit code; 128+n when signal n ended it. */
  criu_exit: number;
  duration_ms: number;
  /** The restored root task's pid on this machine; null when it is not there. */
  pid: number | null;
}

/** Why a restore did not happen or was not let run. */
export interface Failure {
  /** CRIU's own line, or recriu's. */
  line: string;
  explanation: Explanation | undefined;
  /** What could not be taken back. */
  left: string[];
  /** Of a CRIU that was given up: what it and its tasks were at. */
  at: string[];
}

/** A task that ended after it was restored, while recriu still looked. */
export interface End {
  /** Its pid in the images, and on this machine. */
  task: number;
  pid: number;
  /** Its exit code, or the signal that ended it; neither: the kernel does not tell (before Linux 6.15). */
  code: number | null;
  signal: number | null;
  core_dumped: boolean;
  /** What the kernel has logged of it. */
  kernel: string | null;
}

/** The tasks that were watched, for how long at the most, and those of them that ended. */
export interface Watched {
  tasks: number;
  /** Of these nothing is known: no descriptor could be had. */
  unwatched: number;
  /** Seconds; null: until CRIU ended. */
  seconds: number | null;
  ended: End[];
}

export interface Outcome {
  exit: number;
  run: Run | null;
  verdict: Verdict | null;
  failure: Failure | null;
  /** What was asked for beside the tree and not done, in words. */
  notes: string[];
  /** null: nobody watched what became of the tree. */
  watched: Watched | null;
  timing_ms: { repair: number; criu: number; verify: number };
}
