/** A boolean of SELinux' policy that setroubleshoot names in what is pasted: it knows the policy of that machine. */
import type { Explanation } from "./index.ts";

/** Alone in its line; behind the sign of a prompt it is setroubleshoot's where "Do" stands before, and else a command that was given. */
const named = /^\s*(# )?setsebool -P ([a-z]\w{2,63})[ =](1|on|0|off)\s*$/;

export function booleansNamed(): {
  note(text: string): void;
  /** With the boolean before its own remedy, where it is about SELinux. */
  quoted<T extends Explanation | undefined>(explanation: T): T;
} {
  let before = "";
  let command: string | undefined;
  return {
    note(text) {
      const [, sign, name, value] = named.exec(text.slice(0, LETTERS)) ?? [];
      if (name !== undefined && (sign === undefined || before === "Do"))
        command ??= `setsebool -P ${name} ${value}`;
      const bare = text.slice(0, LETTERS).trim();
      if (bare !== "") before = bare;
    },
    quoted(explanation) {
      if (explanation === undefined || command === undefined) return explanation;
      if (!explanation.cause.startsWith("SELinux ")) return explanation;
      if (explanation.remedy.includes(command)) return explanation;
      const remedy = `${command} on the machine, as SELinux' own tool names it there; else ${explanation.remedy}`;
      return { ...explanation, remedy };
    },
  };
}
const LETTERS = 256;
