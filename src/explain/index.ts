/** A line of CRIU's log to its cause and its remedy. */
import { catalogue } from "../checks/index.ts";
import { knownFaults, type KnownFault, versionsOf } from "../criu/known-faults.ts";
import { typedWord } from "../sys/shell.ts";
import { entries } from "./entries/index.ts";

export { entries } from "./entries/index.ts";

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
      cause: fill(told, (name) => match.groups?.[name] ?? ""),
      remedy: fillQuoted(remedy, (name) => match.groups?.[name] ?? ""),
      since,
      issues,
    };
  }
  const faults: readonly KnownFault[] = knownFaults;
  const fault = faults.find(({ says }) => says?.test(message));
  return (
    fault && {
      line: message,
      check: fault.check,
      also: [],
      cause: `CRIU ${versionsOf(fault)}: ${fault.what}`,
      remedy: fault.remedy,
      since: fault.criu.fixed,
      issues: fault.sources,
    }
  );
}

type Found = (name: string) => string;

/** `$<name>` in a text to what the pattern found. */
const fill = (text: string, found: Found): string =>
  text.replace(/\$<(\w+)>/g, (_, name: string) => found(name));

/** In a remedy, whose words people paste, the word that it stands in is quoted with it. */
const fillQuoted = (text: string, found: Found): string =>
  text.replace(/([^\s"(]*)\$<(\w+)>/g, (_, before: string, name: string) => {
    const word = before + found(name);
    return (
      typedWord(before === "" && word.startsWith("-") ? `./${word}` : word) ??
      before + name.toUpperCase()
    );
  });
