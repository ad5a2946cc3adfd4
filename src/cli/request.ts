/** The words of `restore` and `preflight`: CRIU's own options beside recriu's. */
import type { ArgsDef } from "citty";
import {
  criuOptions,
  type OwnOption,
  type OwnOptions,
  type Request,
  requestFrom,
} from "../criu/index.ts";
import { harmless, line, printText } from "../report/terminal.ts";
import { version } from "../report/version.ts";
import { exitCode } from "../report/outcome.ts";

/** recriu's own options as citty shows them in a help text. */
export function ownArgs(options: readonly OwnOption[]): ArgsDef {
  return Object.fromEntries(
    options.map(({ name, arg, value, help }) => [
      name,
      arg === "none"
        ? { type: "boolean", description: help }
        : {
            type: "string",
            description: help,
            ...(value === undefined ? {} : { valueHint: value }),
          },
    ]),
  );
}

/** CRIU's options, as the end of a help text. */
export function criuHelp(): string {
  const rows = criuOptions
    .filter((option) => option.restore)
    .map((option) => {
      const { short, name, arg, help } = option;
      const value = { required: ` ${option.value}`, optional: `[=${option.value}]`, none: "" }[arg];
      return `${`  ${short ? `-${short}, ` : "    "}--${name}${value}`.padEnd(33)} ${help}`;
    });
  return `CRIU's OPTIONS (with CRIU's meaning)\n\n${rows.join("\n")}\n`;
}

export type Asked = { ok: true; request: Request; own: OwnOptions } | { ok: false; exit: number };

/** Understand the words. What is wrong with them is said here. */
export function understand(
  command: string,
  words: readonly string[],
  options: readonly OwnOption[],
): Asked {
  const understood = requestFrom(words, process.env, options);
  if (understood.ok) {
    if (understood.ignored !== undefined) line(`recriu: ${harmless(understood.ignored)}`);
    return understood;
  }
  if (understood.asked === undefined) {
    line(`recriu ${command}: ${harmless(understood.problem)}`);
    return { ok: false, exit: exitCode.usage };
  }
  printText(understood.asked === "help" ? criuHelp() : `recriu ${version}`);
  return { ok: false, exit: exitCode.ok };
}
