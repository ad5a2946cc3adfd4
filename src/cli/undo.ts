import { stateDirectory, undoLeft } from "../repair/index.ts";
import type { UndoDocument } from "../report/documents.ts";
import { exitCode } from "../report/outcome.ts";
import { undoneLines } from "../report/changes.ts";
import { refused, said, type Told } from "../report/told.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  json: { type: "boolean", description: "print one JSON document on stdout" },
} as const;

export const command: Command = {
  meta: {
    name: "undo",
    description:
      "Take back the repairs of every recriu that was killed before it could. Directories in use stay.",
  },
  args,
  run({ rawArgs }): Told {
    const parsed = parseStrictly("undo", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const undone = undoLeft();
    // A directory that cannot be read does not tell whether there is something to undo.
    const unknown = undone.find(({ journal }) => journal === stateDirectory());
    const whole = undone.every(({ left, problem }) => left.length === 0 && problem === null);
    const exit = whole ? exitCode.ok : exitCode.left;
    if (parsed.values.json) return { exit, json: { undone } satisfies UndoDocument };
    if (unknown !== undefined)
      return refused(
        "undo",
        exit,
        `its journals cannot be read, so whether there is anything to undo is not known: ${unknown.problem ?? ""}`,
      );
    if (undone.length > 0) return { exit, lines: undone.flatMap(undoneLines) };
    const nothing = isRoot()
      ? said`nothing to undo`
      : said`nothing of this user's to undo; what root left, root sees`;
    return { exit, lines: [nothing] };
  },
};

const isRoot = () => process.geteuid?.() === 0;
