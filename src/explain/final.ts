/** What a task said last before it ended: of a death that tells no reason, where it was. */
import type { Log } from "./run.ts";

const death = /^(\d{1,10}) (?:killed|stopped) by signal \d/;
/** `(00.014829)  23253: `, `(03.820187) pie: 1: ` */
const speaking = /^\s*\(?\d{1,10}\.\d{1,9}\)\s{0,8}(?:pie: ?)?(\d{1,10}):/;

/** Its last line and its death in one, for entries that want them beside each other; undefined where no line is surely its own. */
export function lastWords({ cause, before }: Log): string | undefined {
  const pid = death.exec(cause?.message ?? "")?.[1];
  if (pid === undefined) return undefined;
  const spoken = before.flatMap((text) => {
    const by = speaking.exec(text)?.[1];
    return by === undefined ? [] : [{ by, text }];
  });
  // In a pid namespace it speaks by another number: where only one speaks, that is the one.
  const isOne = spoken.every(({ by }) => by === spoken[0]?.by);
  const last = spoken.findLast(({ by }) => by === pid) ?? (isOne ? spoken.at(-1) : undefined);
  return last && `${last.text.trim().replaceAll(/[ \t]+/g, " ")} … ${cause!.message}`;
}
