/** What a command is: what it is called with, and what it does. Help, man pages and completions are made from this. */
import type { Told } from "../report/told.ts";

/** An option, or an operand (`positional`). */
export interface Argument {
  readonly type: "string" | "boolean" | "positional";
  /** Of an operand; it is, where nothing is said. */
  readonly required?: boolean;
  /** Of an option: its one letter. */
  readonly alias?: string;
  /** What its value is: `DIR`, `tree|table|json`. */
  readonly valueHint?: string;
  readonly description: string;
}

export type Arguments = Readonly<Record<string, Argument>>;

export interface Command {
  readonly meta: { readonly name: string; readonly description: string };
  readonly args: Arguments;
  /** Do what the words behind the command's name ask for. Returns what is to be told of it. */
  run(context: { rawArgs: string[] }): Told | Promise<Told>;
}
