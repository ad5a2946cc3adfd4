/** The list of mutants: one change to the code each, as text, with the tests that have to notice it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * One change. In a list (*.txt) it stands so, and the next may leave the first line out:
 *
 *     @ src/verify/tasks.ts test/verify/tasks.test.ts    the file, and the tests that have to notice
 *     # a zombie that lives is another tree's            why it matters
 *     = test/restore/since.test.ts:it_cannot_do           for this one other tests than those (may be left out); of
 *                                                        the file those with such words in their names (_: any letter)
 *     ~ the kernel refuses it, too                       why no test can notice (may be left out)
 *     - dead && kind(now) === "alive"                    the text, which is in the file once
 *     + false                                            what stands there instead; without it nothing, or the empty statement
 */
export interface Mutant {
  readonly file: string;
  readonly tests: readonly string[];
  readonly why: string;
  /** Why no test can tell it from the code as it is; undefined: one has to. */
  readonly equivalent: string | undefined;
  readonly find: string;
  readonly instead: string;
}

interface Parsed {
  file: string;
  tests: readonly string[];
  why: string;
  equivalent?: string;
  find: string[];
  instead: string[];
}

/** The mutants of one list. Throws for a line that is none of the above, naming it. */
export function parseList(text: string, name: string): Mutant[] {
  const found: Parsed[] = [];
  let file = "";
  let tests: readonly string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const rest = line.slice(2);
    const last = found.at(-1);
    const bad = () => new Error(`${name}:${index + 1}: ${line}`);
    if (line.startsWith("@ ")) [file = "", ...tests] = rest.split(" ");
    else if (line.startsWith("# ")) {
      if (file === "" || tests.length === 0) throw bad();
      found.push({ file, tests, why: rest, find: [], instead: [] });
    } else if (line === "") continue;
    else if (last === undefined) throw bad();
    else if (line.startsWith("= ")) last.tests = rest.split(" ");
    else if (line.startsWith("~ ")) last.equivalent = rest;
    else if (line.startsWith("- ") && last.instead.length === 0) last.find.push(rest);
    else if (line.startsWith("+ ")) last.instead.push(rest);
    else throw bad();
  }
  return found.map(({ find, instead, equivalent, ...each }) => ({
    ...each,
    equivalent,
    find: find.join("\n"),
    // A statement that is gone leaves the next one where it was: it is not the body of an `if` by then.
    instead: instead.length === 0 && find.at(-1)?.endsWith(";") ? ";" : instead.join("\n"),
  }));
}

/** Every mutant of the project, list after list. */
export function everyMutant(): Mutant[] {
  const lists = readdirSync(import.meta.dir).filter((name) => name.endsWith(".txt"));
  return lists
    .toSorted()
    .flatMap((name) => parseList(readFileSync(join(import.meta.dir, name), "utf8"), name));
}

/** The file's text with the change in it. Throws where the text to find is not there exactly once, or what comes is no TypeScript. */
export function mutate(text: string, { file, find, instead }: Mutant): string {
  const places = text.split(find).length - 1;
  if (find === "" || places !== 1)
    throw new Error(`${file}: this stands there ${places} times, and has to once:\n${find}`);
  const mutated = text.replace(find, () => instead);
  try {
    new Bun.Transpiler({ loader: "ts" }).transformSync(mutated);
  } catch (error) {
    throw new Error(`${file}: no TypeScript is left by\n${find}`, { cause: error });
  }
  return mutated;
}
