/** What a restore came to: plain values, printed as text or JSON. */
import type { Explanation } from "../explain/index.ts";
import type { Verdict } from "../verify/index.ts";

/** Exit codes of `recriu`, as README lists them. */
export const exitCode = {
  ok: 0,
  criuFailed: 1,
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

export interface Outcome {
  exit: number;
  run: Run | null;
  verdict: Verdict | null;
  failure: Failure | null;
  timing_ms: { repair: number; criu: number; verify: number };
}
