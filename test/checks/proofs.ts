/** Which checks the staged tests prove, read from their source: the id stands in a test in which CRIU runs without recriu, too. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The staged tests, and those that are run in whole systems only (scripts/systems), whose names end in .ts alone. */
const rooms = ["restore", "systems"];
const names = rooms.flatMap((room) =>
  (readdirSync(join(import.meta.dir, "..", room), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(import.meta.dir, "..", room, file)),
);

/** CRIU alone, by a helper of the stage, by its path, or below a runtime. */
const alone = /\b(?:restoreBare|bareUnder|stageCheck)\(|\.alone\(|[[ ]criu,/;

interface Part {
  /** Of a function or constant; undefined for tests. */
  name: string | undefined;
  text: string;
}

/** What stands at the top of a file, without comments and the names of tests: they prove nothing. */
const partsOf = (file: string): Part[] =>
  readFileSync(file, "utf8")
    .split(/^(?=(?:export )?(?:async )?(?:function|const|test|for)\b)/m)
    .slice(1)
    .map((text) => ({
      name: /^(?:export )?(?:async )?(?:function|const) (\w+)/.exec(text)?.[1],
      text: text
        .replace(/^\s*(?:\/\/|\/?\*).*$/gm, "")
        .replace(/^\s*test\(\s*(?:"[^"]*"|`[^`]*`)/gm, "test("),
    }));

const isTest = (file: string) => /^ *test\b/m.test(readFileSync(file, "utf8"));
const shared = names.filter((file) => !isTest(file)).flatMap(partsOf);

/** The text of a test and of all that it names. */
function reached(part: Part, parts: readonly Part[], seen = new Set([part])): string {
  const words = new Set(part.text.match(/\w+/g));
  const more = parts.filter(
    (each) => each.name !== undefined && words.has(each.name) && !seen.has(each),
  );
  for (const each of more) seen.add(each);
  return [part.text, ...more.map((each) => reached(each, parts, seen))].join("\n");
}

/** The texts of the staged tests in which bare CRIU runs; ids stand there in double quotes. */
export const proofs: readonly string[] = names.filter(isTest).flatMap((file) => {
  const parts = partsOf(file);
  return parts
    .filter(({ name }) => name === undefined)
    .map((part) => reached(part, [...parts, ...shared]))
    .filter((text) => alone.test(text));
});
