/** Messages that were broken into lines. */
import type { LogLine } from "../criu/log.ts";
import { splitErrno } from "./errno.ts";
import { lettersKnown } from "./index.ts";
import type { Line } from "./lines.ts";

/** What begins a line of its own, and what may. */
const beginning = /^\s*(?:\(?\d+\.\d+\)|Error|Warn|pie:|\d+: |[-=*#|>`$])/;
const labelled = /^\s*\w+: /;

/**
 * A message with what stands in the next line: code in a restored task breaks long ones with `>`, a window or a mail at its
 * edge. Of a broken one only where its errno, or words that an entry needs, were lost by that.
 */
export function wholeOf({ message, file }: LogLine, line: Line): string {
  const next = line.next() ?? "";
  const piece = /^(?:\([\d.]+\) ?)?pie: (?:\d+: )?(?!\d+: |Error|Warn)(.*)$/.exec(next.trim())?.[1];
  if (message.endsWith(">") && file.includes("pie/")) return message.slice(0, -1) + (piece ?? "");
  const isPart = (text: string) => text.trim() !== "" && !beginning.test(text);
  if (!isPart(next) || splitErrno(message).errno !== undefined) return message;
  const third = line.next(2) ?? "";
  const joined = [`${message} ${next.trim()}`, message + next.trim()];
  if (isPart(third)) joined.push(`${message} ${next.trim()} ${third.trim()}`);
  return (
    (labelled.test(next)
      ? undefined
      : joined.find((whole) => splitErrno(whole).errno !== undefined)) ??
    // Of those that an entry has whole, the one with most of its words.
    [message, ...joined]
      .map((whole) => ({ whole, letters: lettersKnown(whole, file === "" ? {} : { file }) }))
      .filter(({ letters }) => letters > 0)
      .sort((one, other) => other.letters - one.letters)[0]?.whole ??
    message
  );
}
