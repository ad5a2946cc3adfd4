/** One thing that CRIU says, and what is known of it. Data; `index.ts` finds the entry of a line. */

export interface Entry {
  /** Matched against the message of an error line: without time, pid, source file. Groups are named for `cause` and `remedy`. */
  pattern: RegExp;
  /** The check that names it beforehand, whose page tells why; "" where none can. */
  check: string;
  /** Other checks of which CRIU says the same. */
  also?: readonly string[];
  /** In this case; where it is left out, the check's title says it. */
  cause?: string;
  /** What to do, as a command or option where there is one. */
  remedy: string;
  /** The CRIU from which on it is mended, or better said. */
  since?: string;
  /** Issues and pull requests, of checkpoint-restore/criu unless a repository is named. */
  issues?: readonly string[];
  /** A line that it must match. */
  example: string;
  /** Where that line is from: a failure staged in test/restore, an issue, or the format string in CRIU's source. */
  from: "staged" | "issue" | "source";
}
