/** The words of `restore` and `preflight`: CRIU's own options beside recriu's. */
import type { Argument, Arguments } from "./command.ts";
import {
  criuOptions,
  type RecriuOption,
  type Settings,
  type Request,
  requestFrom,
} from "../criu/index.ts";
import { near } from "./near.ts";
import { orElse } from "./or-else-words.ts";
import { withOperand } from "./operand.ts";
import { refused, said, type Told, tellLines } from "../report/told.ts";
import { section } from "../report/columns.ts";
import { version } from "../report/version.ts";
import { exitCode } from "../report/outcome.ts";

/** recriu's own options as those of a command, and the checkpoint. */
export function recriuArgs(options: readonly RecriuOption[]): Arguments {
  const named = options.map(({ name, short, arg, value, help }): [string, Argument] => {
    const alias = short === undefined ? {} : { alias: short };
    const isSwitch = arg === "none" || (arg === "optional" && value === undefined);
    const hint = value === undefined ? {} : { valueHint: value };
    const kind = isSwitch ? ({ type: "boolean" } as const) : ({ type: "string", ...hint } as const);
    return [name, { ...kind, ...alias, description: help }];
  });
  const description = "the checkpoint's directory, as -D DIR (default: the working directory)";
  const checkpoint = { type: "positional", required: false, description } as const;
  return { checkpoint, ...Object.fromEntries(named) };
}

/** CRIU's options, as the end of a help text. */
export function criuHelp(): string {
  const rows = criuOptions
    .filter((option) => option.restore)
    .map((option): [string, string] => {
      const { short, name, arg, help } = option;
      const value = { required: ` ${option.value}`, optional: `[=${option.value}]`, none: "" }[arg];
      return [`${short ? `-${short}, ` : ""}--${name}${value}`, help];
    });
  return section("CRIU's OPTIONS (with CRIU's meaning)", rows);
}

/** What an unknown option may have been meant for, and where they are listed. */
function meant(command: string, problem: string, options: readonly RecriuOption[]): string {
  const typed = /^unrecognized option '--(.*)'$/.exec(problem)?.[1];
  if (typed === undefined) return "";
  const names = [...options, ...criuOptions.filter(({ restore }) => restore)].map(
    ({ name }) => name,
  );
  return `${near(typed, names, "--")}; recriu ${command} --help lists the options`;
}

type Asked = { ok: true; request: Request; settings: Settings } | { ok: false; told: Told };

/** Understand the words, or tell what is wrong with them. */
export function understand(
  command: string,
  words: readonly string[],
  options: readonly RecriuOption[],
): Asked {
  const understood = requestFrom(withOperand(orElse(words).words, options), process.env, options);
  if (understood.ok) {
    if (understood.ignored !== undefined) tellLines([said`recriu: ${understood.ignored}`]);
    return understood;
  }
  const { asked, problem } = understood;
  if (asked === undefined)
    return {
      ok: false,
      told: refused(command, exitCode.usage, `${problem}${meant(command, problem, options)}`),
    };
  const text = asked === "help" ? criuHelp() : `recriu ${version}`;
  return { ok: false, told: { exit: exitCode.ok, text } };
}
