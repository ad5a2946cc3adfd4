/** The one table of commands and options, as the man pages and the completions want it. */
import { criuOptions, recriuOptions } from "../criu/index.ts";
import type { CommandWords, OptionWords } from "../report/completions/words.ts";
import type { Argument, Command } from "./command.ts";
import { commands } from "./index.ts";

export function table(): Promise<CommandWords[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { description, load }]) => {
      const { command, appendix } = await load();
      return commandOf(name, description, command, appendix !== undefined);
    }),
  );
}

function commandOf(
  name: string,
  summary: string,
  { meta, args: all }: Command,
  takesCriu: boolean,
): CommandWords {
  const args = Object.entries(all);
  return {
    name,
    summary,
    description: meta.description,
    operands: args
      .filter(([, arg]) => arg.type === "positional")
      .map(([operand, arg]) => ({
        name: operand.toUpperCase(),
        ...(arg.valueHint !== undefined && { value: arg.valueHint }),
        help: arg.description,
      })),
    options: args.filter(([, arg]) => arg.type !== "positional").map(optionOf),
    criu: takesCriu ? criu : [],
  };
}

/** An option of a command as help, man pages and completions want it. */
export function optionOf([name, arg]: [string, Argument]): OptionWords {
  const { alias, valueHint } = arg;
  return {
    name,
    ...(alias === undefined ? {} : { short: alias }),
    ...(arg.type === "boolean" ? {} : { value: valueHint ?? "ARG" }),
    optional: recriuOptions.some((own) => own.name === name && own.arg === "optional"),
    negatable: false,
    help: arg.description,
  };
}

const criu: readonly OptionWords[] = criuOptions
  .filter(({ restore }) => restore)
  .map(({ name, short, value, arg, negatable, help }) => ({
    name,
    ...(short === undefined ? {} : { short }),
    ...(value === undefined ? {} : { value }),
    optional: arg === "optional",
    negatable,
    help,
  }));

/** How an option is typed: `-D, --images-dir DIR`. */
export function typed({ name, short, value, optional, negatable }: OptionWords): string {
  const long = `--${negatable ? "[no-]" : ""}${name}`;
  const argument = value === undefined ? "" : optional ? `[=${value}]` : ` ${value}`;
  return `${short === undefined ? "" : `-${short}, `}${long}${argument}`;
}
