/** What a command is. citty shows its help; it is run without citty, which half a millisecond would be spent on. */
import type { CommandDef } from "citty";
import type { Told } from "../report/told.ts";

export interface Command extends CommandDef<any> {
  /** Do what the words behind the command's name ask for. Returns what is to be told of it. */
  run(context: { rawArgs: string[] }): Told | Promise<Told>;
}
