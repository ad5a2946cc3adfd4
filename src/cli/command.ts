/** What a command is. citty shows its help; it is run without citty, which half a millisecond would be spent on. */
import type { CommandDef } from "citty";

export interface Command extends CommandDef<any> {
  /** Do what the words behind the command's name ask for. Returns the exit code. */
  run(context: { rawArgs: string[] }): number | Promise<number>;
}
