/** Options that the CRIU that is there has and options.ts does not: as its `--help` writes them. It is asked only where one was given. */
import type { CriuOption } from "./option.ts";
import { byName } from "./option-names.ts";
import { helpOf } from "./version.ts";

/** `-t|--tree PID`, `--plugin-option=P.N[=V]`, `--cpu-cap [CAP]`; what stands two blanks behind is about it. */
const line = /^\s+(?:-\w\|)?--([a-z0-9][a-z0-9-]*)(?:(\[=| ?\[)|(=| (?=[A-Z{<"'])))?/gm;

/** Find out by a help text what a name is; undefined: the text has none that it is or uniquely begins. */
export function optionInHelp(help: string, typed: string): CriuOption | undefined {
  const found = new Map<string, CriuOption>();
  for (const [, name = "", optional, required] of help.matchAll(line)) {
    if (byName(name) !== undefined) continue;
    const arg = optional !== undefined ? "optional" : required !== undefined ? "required" : "none";
    found.set(name, { name, arg, negatable: arg === "none", help: "", restore: true });
  }
  const off = found.get(typed.replace(/^no-/, ""));
  if (off !== undefined && (off.name === typed || off.negatable)) return off;
  const begun = [...found.values()].filter(({ name }) => name.startsWith(typed));
  return begun.length === 1 ? begun[0] : undefined;
}

/** What a name is to the CRIU at `path`. */
export const optionOf = (path: string, typed: string): CriuOption | undefined =>
  optionInHelp(helpOf(path), typed);
