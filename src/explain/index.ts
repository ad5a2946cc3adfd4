/** A line of CRIU's log to its cause and its remedy. */
import { catalogue } from "../checks/index.ts";
import { sh } from "../sys/shell.ts";
import { entries } from "./entries/index.ts";

export { entries } from "./entries/index.ts";
export type { Entry } from "./entry.ts";

export interface Explanation {
  line: string;
  /** The check that names it beforehand; "" where none can. */
  check: string;
  also: readonly string[];
  cause: string;
  remedy: string;
  /** The CRIU that mended it, or has the remedy. */
  since: string | undefined;
  issues: readonly string[];
}

/** What an error message means; undefined when nothing is known of it. */
export function explain(message: string): Explanation | undefined {
  for (const { pattern, check, also = [], cause, remedy, since, issues = [] } of entries) {
    const match = pattern.exec(message);
    if (match === null) continue;
    const told = cause ?? catalogue.find(({ id }) => id === check)?.title ?? "";
    return {
      line: message,
      check,
      also,
      cause: told.replace(hole, (_, before: string, name: string) => before + found(match, name)),
      remedy: remedy.replace(hole, (_, before: string, name: string) =>
        before === "" ? sh`${found(match, name)}` : sh`${[before + found(match, name)]}`,
      ),
      since,
      issues,
    };
  }
  return undefined;
}

/** `$<name>`, and what stands before it in its word. In a remedy the whole word is quoted: a person pastes it. */
const hole = /([^\s"(]*?)\$<(\w+)>/g;

const found = ({ groups }: RegExpExecArray, name: string): string => groups?.[name] ?? "";
