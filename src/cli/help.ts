/** Help texts, as wide as the terminal that shows them. */
import { section, rows, wrapped } from "../report/columns.ts";
import { version } from "../report/version.ts";
import type { Command } from "./command.ts";
import { commands } from "./index.ts";
import { manuals } from "./manuals.ts";
import { optionOf, typed } from "./table.ts";

export const overview = (): string =>
  [
    `recriu ${version}: criu restore that finds every obstacle first, repairs what is safe and proves what it restored`,
    "  recriu COMMAND [OPTIONS] [CHECKPOINT]",
    section(
      "COMMANDS",
      Object.entries(commands).map(([name, { description }]) => [name, description]),
    ),
    "recriu COMMAND --help tells more of one.",
  ]
    .map((text) => wrapped(text, 0))
    .join("\n\n");

/** `takesCriu`: its words may be options of CRIU, too. */
export function helpOf({ meta, args }: Command, takesCriu: boolean): string {
  const all = Object.entries(args);
  const operands = all.filter(([, { type }]) => type === "positional");
  const options = all.filter(([, { type }]) => type !== "positional");
  const shown = operands.map(([name, { required }]) =>
    required === false ? ` [${name.toUpperCase()}]` : ` ${name.toUpperCase()}`,
  );
  return [
    wrapped(meta.description, 0),
    `  recriu ${meta.name}${options.length > 0 ? " [OPTIONS]" : ""}${shown.join("")}`,
    ...(operands.length > 0
      ? [rows(operands.map(([name, { description }]) => [name.toUpperCase(), description]))]
      : []),
    ...(options.length > 0
      ? [
          section(
            "OPTIONS",
            options.map(optionOf).map((option) => [typed(option), option.help]),
          ),
        ]
      : []),
    ...(takesCriu ? [`CRIU's own options: recriu ${meta.name} --help-criu`] : []),
    `EXAMPLES\n\n${manuals[meta.name]!.examples.map(
      ([line, does]) => `  ${line}\n${wrapped(does, 6)}`,
    ).join("\n")}`,
  ].join("\n\n");
}
