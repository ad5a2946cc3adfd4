import { stateDirectory, undoLeft } from "../repair/index.ts";
import { exitCode } from "../report/outcome.ts";
import { printJson } from "../report/json.ts";
import { harmless, line } from "../report/terminal.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = { json: { type: "boolean", description: "one JSON document on stdout" } } as const;

export const command: Command = {
  meta: {
    name: "undo",
    description:
      "Take back the repairs of every recriu that was killed before it could. Directories in use stay.",
  },
  args,
  run({ rawArgs }): number {
    const parsed = parseStrictly("undo", args, rawArgs);
    if (parsed === undefined) return 2;
    const undone = undoLeft();
    // Of a directory that is not to be read nobody knows whether there is something to undo.
    const unknown = undone.find(({ journal }) => journal === stateDirectory());
    if (parsed.values.json) printJson({ undone });
    else if (unknown !== undefined)
      line(
        `recriu undo: its journals cannot be read, so whether there is anything to undo is not known: ${harmless(unknown.problem ?? "")}`,
      );
    else if (undone.length === 0)
      line(
        isRoot() ? "nothing to undo" : "nothing of this user's to undo; what root left, root sees",
      );
    else {
      for (const { journal, images, made, left, problem, aside } of undone) {
        const what = made.length === 0 ? "" : ` (${made.map(harmless).join(", ")})`;
        if (images !== "") line(`undone: the restore of ${harmless(images)}${what}`);
        for (const each of left) line(`  left  ${harmless(each)}`);
        if (problem === null) continue;
        line(
          `recriu undo: ${harmless(journal)}: ${harmless(problem)}; what it says from there on is not undone`,
        );
        if (aside !== null)
          line(`  kept as ${harmless(aside)}: look at it, undo by hand what it names, remove it`);
      }
    }
    const whole = undone.every(({ left, problem }) => left.length === 0 && problem === null);
    return whole ? exitCode.ok : exitCode.left;
  },
};

const isRoot = () => process.geteuid?.() === 0;
