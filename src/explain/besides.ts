/** Errors that are told beside the first, of lines that somebody chose. */
import { type LogLine, parseLogLine } from "../criu/log.ts";
import { worthOf } from "../criu/worth.ts";
import type { Explanation } from "./index.ts";

/** Of callers that take the errno of what they called for their own. */
const ofMistaken = /^(?:\w+: )?Can't (?:unshare net-namespace|get self_stdin_fdid)/;
const BESIDES = 2;
/** What the callers of a function that failed say of that. */
const ofCallers =
  /^(?:\w+: )?\s*(?:Trimmed message received|Command \d+ for daemon|Could not initialize kernel features|Communication error|Locking network failed|Can't (?:infect|init thread|dump page|dump that handle|fixup fd|sent? fd|parse \d+'s mountinfo)|Parasite (?:exited|failed)|Failed to parse FS specific)/;

/** What CRIU says of a task's registers, and of itself, when a restore has failed at its end. */
const ofEnd = /^(?:Restoring regs for |Killing processes because of )/;

/**
 * Lines that a person chose have no times, and the later need not come of the first: those of another source and another cause
 * are told, too. A log with times has its order.
 */
export function besidesOf(
  first: LogLine,
  explanation: Explanation,
  after: readonly string[],
  known: (error: LogLine) => Explanation | undefined,
): Explanation[] {
  const told = [explanation];
  const files = new Set([first.file]);
  for (const text of after) {
    const next = parseLogLine(text);
    if (next === undefined || worthOf(next) !== "cause" || ofCallers.test(next.message)) continue;
    if (files.has(next.file) || ofEnd.test(next.message)) continue;
    if (first.time !== undefined && next.time !== undefined) continue;
    const its = known(next);
    if (its === undefined || its.by !== "criu" || its.consequence || its.warning) continue;
    if (ofMistaken.test(next.message)) continue;
    if (its.like !== undefined || told.some(({ cause }) => cause === its.cause)) continue;
    files.add(next.file);
    if (told.push(its) > BESIDES) break;
  }
  return told.slice(1);
}
