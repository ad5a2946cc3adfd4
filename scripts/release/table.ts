/** The one table of commands and options, as the man pages and the completions want it. */
import type { ArgDef, CommandDef } from "citty";
import { commands } from "../../src/cli/index.ts";
import { criuOptions, recriuOptions } from "../../src/criu/index.ts";

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What its argument is: `DIR`, `safe|none`. */
  readonly value?: string;
  /** The argument may be left out, and is only taken after `=`. */
  readonly optional: boolean;
  readonly negatable: boolean;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** Half a sentence. */
  readonly summary: string;
  readonly description: string;
  readonly operands: readonly { readonly name: string; readonly help: string }[];
  readonly options: readonly Option[];
  /** CRIU's own options, where the command takes them. */
  readonly criu: readonly Option[];
}

export function table(): Promise<Command[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { description, load }]) => {
      const { command, appendix } = await load();
      return commandOf(name, description, command, appendix !== undefined);
    }),
  );
}

async function commandOf(
  name: string,
  summary: string,
  command: CommandDef<any>,
  takesCriu: boolean,
): Promise<Command> {
  const args = Object.entries((await command.args) as Record<string, ArgDef>);
  const meta = (await command.meta) as { description?: string };
  return {
    name,
    summary,
    description: meta.description ?? summary,
    operands: args
      .filter(([, arg]) => arg.type === "positional")
      .map(([operand, arg]) => ({ name: operand.toUpperCase(), help: arg.description ?? "" })),
    options: args.filter(([, arg]) => arg.type !== "positional").map(optionOf),
    criu: takesCriu ? criu : [],
  };
}

function optionOf([name, arg]: [string, ArgDef]): Option {
  const { alias, valueHint } = arg as { alias?: string; valueHint?: string };
  return {
    name,
    ...(alias === undefined ? {} : { short: alias }),
    ...(arg.type === "boolean" ? {} : { value: valueHint ?? "ARG" }),
    optional: recriuOptions.some((own) => own.name === name && own.arg === "optional"),
    negatable: false,
    help: arg.description ?? "",
  };
}

const criu: readonly Option[] = criuOptions
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
export function typed({ name, short, value, optional, negatable }: Option): string {
  const long = `--${negatable ? "[no-]" : ""}${name}`;
  const argument = value === undefined ? "" : optional ? `[=${value}]` : ` ${value}`;
  return `${short === undefined ? "" : `-${short}, `}${long}${argument}`;
}
