/** Why a restore failed, the same in every stand. */
import { firstCause, type LogLine } from "../criu/index.ts";
import type { Failure } from "../report/outcome.ts";

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
