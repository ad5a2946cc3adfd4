/** Why a restore failed, the same in every stand. */
import { errorLines, firstCause, type LogLine, type RunningCriu } from "../criu/index.ts";
import type { Failure } from "../report/outcome.ts";
import type { Supervised } from "./supervise.ts";

/** `own`: recriu's own reason; else the first cause among the errors that CRIU logged counts, else `otherwise`. */
export async function failureOf(
  reason: { interruption?: string | undefined; errors: readonly LogLine[]; otherwise: string },
  left: string[],
  at: string[] = [],
): Promise<Failure> {
  const line = reason.interruption ?? firstCause(reason.errors) ?? reason.otherwise;
  // Loaded only for a failure.
  const { explain } = await import("../explain/index.ts");
  return { line, explanation: explain(line), left, at };
}

/** Why CRIU did not bring the tree back, in its own words where it has any. */
export async function whyFailed(
  { exit, interrupted, givenUp, at }: Supervised,
  child: RunningCriu,
  left: string[],
  { timeoutSeconds, stallSeconds }: { timeoutSeconds: number | undefined; stallSeconds: number },
): Promise<Failure> {
  const interruption = interrupted
    ? `interrupted by ${interrupted}`
    : givenUp === "overdue"
      ? `CRIU was killed: after ${timeoutSeconds} s the tree did not run yet (--timeout)`
      : givenUp === "stalled"
        ? `CRIU was killed: for ${stallSeconds} s it made no task and read no byte (--stall)`
        : child.problem();
  const ending =
    exit.signal === null ? `CRIU exited with ${exit.code}` : `CRIU was ended by ${exit.signal}`;
  const words = givenUp && child.lastWords();
  const last = words ? [...at, `its last words: ${words}`] : at;
  const errors = errorLines(await child.log());
  return failureOf({ interruption, errors, otherwise: `${ending} and named no error` }, left, last);
}
