/** A line of CRIU's log to its cause and its remedy. */
import { type Entry, entries } from "./entries.ts";

export { entries } from "./entries.ts";

export interface Explanation {
  line: string;
  cause: string;
  remedy: string;
  issues: readonly string[];
}

/** What an error message means; undefined when nothing is known of it. */
export function explain(message: string): Explanation | undefined {
  for (const entry of entries) {
    const match = entry.pattern.exec(message);
    if (match !== null)
      return {
        line: message,
        cause: fill(entry.cause, match),
        remedy: fill(entry.remedy, match),
        issues: entry.issues,
      };
  }
  return undefined;
}

/** `$<name>` in a text to what the pattern found. */
function fill(text: Entry["cause"], match: RegExpExecArray): string {
  return text.replace(/\$<(\w+)>/g, (_, name: string) => match.groups?.[name] ?? "");
}
