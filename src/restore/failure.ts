/** Why a restore failed, the same in every stand. */
import { firstCause, type LogLine } from "../criu/index.ts";
import type { Failure } from "../report/outcome.ts";

/** What is known of it: recriu's own reason, else the first cause among the errors that CRIU logged, else `otherwise`. */
export interface Reason {
  readonly own?: string | undefined;
  readonly errors: readonly LogLine[];
  readonly otherwise: string;
}

/** `left`: what could not be taken back; `at`: what a CRIU that was given up was at. */
export async function failureOf(
  { own, errors, otherwise }: Reason,
  left: string[],
  at: string[] = [],
): Promise<Failure> {
  const line = own ?? firstCause(errors) ?? otherwise;
  // Nobody needs it before.
  const { explain } = await import("../explain/index.ts");
  return { line, explanation: explain(line), left, at };
}
