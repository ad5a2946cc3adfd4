/** Words to options, strictly: citty describes a command's options, but lets unknown ones pass. */
import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { line } from "../report/terminal.ts";

export type Values = Record<string, string | boolean | undefined>;

/** The options and operands of a command, or undefined after saying what is wrong with them (exit code 2). */
export function parseStrictly(
  command: string,
  args: ArgsDef,
  words: string[],
): { values: Values; operands: string[] } | undefined {
  const options = Object.fromEntries(
    Object.entries(args)
      .filter(([, arg]) => arg.type !== "positional")
      .map(([name, arg]) => {
        const short = "alias" in arg && typeof arg.alias === "string" ? { short: arg.alias } : {};
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
    return { values: values as Values, operands: positionals };
  } catch (error) {
    line(`recriu ${command}: ${(error as Error).message}`);
    line(`recriu ${command} --help lists the options`);
    return undefined;
  }
}
