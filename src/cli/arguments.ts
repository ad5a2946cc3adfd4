/** Words to the options of a command: unknown ones are mistakes. */
import { parseArgs } from "node:util";
import { exitCode } from "../report/outcome.ts";
import { said, type Told } from "../report/told.ts";
import type { Arguments } from "./command.ts";
import { near } from "./near.ts";

type Values = Record<string, string | boolean | undefined>;

/** The options and operands of a command, or what is wrong with them. */
export function parseStrictly(
  command: string,
  args: Arguments,
  words: string[],
): { ok: true; values: Values; operands: string[] } | { ok: false; told: Told } {
  const options = Object.fromEntries(
    Object.entries(args)
      .filter(([, arg]) => arg.type !== "positional")
      .map(([name, arg]) => {
        const short = arg.alias === undefined ? {} : { short: arg.alias };
        return [
          name,
          { type: arg.type === "boolean" ? ("boolean" as const) : ("string" as const), ...short },
        ];
      }),
  );
  const operandsAllowed = Object.values(args).some((arg) => arg.type === "positional");
  try {
    const { values, positionals } = parseArgs({
      args: words,
      options,
      allowPositionals: operandsAllowed,
      strict: true,
    });
    return { ok: true, values: values as Values, operands: positionals };
  } catch (error) {
    const lines = [
      said`recriu ${command}: ${wrongOf(error as NodeJS.ErrnoException, Object.keys(options))}`,
      said`recriu ${command} --help lists the options`,
    ];
    return { ok: false, told: { exit: exitCode.usage, lines } };
  }
}

/** The first mistake in the words. node:util has the word in quotes, and says more about it than helps. */
function wrongOf({ code, message }: NodeJS.ErrnoException, names: readonly string[]): string {
  const word = /'([^]*?)(?: <value>)?'/.exec(message)?.[1] ?? "";
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION")
    return `there is no option ${word}${near(word.replace(/^-+/, ""), names, "--")}`;
  if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL")
    return `it takes no operand, and ${word} is one`;
  return message.includes("missing") ? `${word} wants a value` : message;
}
