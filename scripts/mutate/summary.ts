/** docs/mutation.md: what came of the mutants the last time. */
import type { Mutant } from "./list.ts";

export interface Result {
  readonly mutant: Mutant;
  readonly outcome: "noticed" | "unnoticed" | "equivalent";
}

const roomOf = ({ mutant: { file } }: Result): string => file.split("/")[1] ?? "";

/** `listed`: how many there are, of which some may not have been tried. */
export function summary(results: readonly Result[], when: Date, listed: number): string {
  const count = (some: readonly Result[], outcome: Result["outcome"]) =>
    some.filter((each) => each.outcome === outcome).length;
  const row = (name: string, some: readonly Result[]) =>
    `| ${name} | ${some.length} | ${count(some, "noticed")} | ${count(some, "unnoticed")} | ${count(some, "equivalent")} |`;
  const rooms = [...Map.groupBy(results, roomOf)].toSorted(([a], [b]) => a.localeCompare(b));
  const told = (outcome: Result["outcome"]) => {
    const those = results.filter((each) => each.outcome === outcome);
    const lines = those.map(({ mutant: { file, why, equivalent } }) =>
      equivalent === undefined ? `- \`${file}\`: ${why}` : `- \`${file}\`: ${why}. ${equivalent}`,
    );
    return lines.length === 0 ? ["None."] : lines;
  };
  return `${[
    "# Tests that notice",
    "",
    "Each mutant is one change to the code that keeps a user safe: a condition turned round, a guard dropped, a blocker made a",
    "warning, an undo left out. `scripts/mutate/*.txt` lists them, each with why it matters and the tests that have to notice.",
    "",
    "    npm run mutate                   # all of them, and this page; by hand, not in .ci/run",
    "    npm run mutate -- src/verify     # those of some files, or with some words in their reason",
    "    npm run mutate -- --list         # whether each still fits the code; runs nothing",
    "",
    "Each is put into a copy of the tree, which is built anew where its tests run the program. A test that fails, or comes to",
    "no end, has noticed. Where those that a mutant names do not, the staged tests are all run before it counts as unnoticed.",
    "",
    `Last result, ${when.toISOString().slice(0, 10)}: ${results.length} of ${listed} were tried.`,
    "",
    "| room | mutants | noticed | unnoticed | equivalent |",
    "| --- | --- | --- | --- | --- |",
    ...rooms.map(([room, some]) => row(room, some)),
    row("all", results),
    "",
    "## Unnoticed",
    "",
    ...told("unnoticed"),
    "",
    "## Equivalent",
    "",
    "What no test can tell from the code as it is.",
    "",
    ...told("equivalent"),
  ].join("\n")}\n`;
}
