/** Whether a line is of a dump or a restore: by what it says, or by the source that says it. */
import type { LogLine } from "../criu/log.ts";
import type { Way } from "./entry.ts";

const ways =
  /\b(Restor|(?:Pre-d|D)ump)(?:ing (?:F(?:AILED|(?:A(?:I(?:LE?)?)?)?$)|processes|finished)|e finished)|\bReading image tree/;

/** As a dump lets its tasks go. */
const unfreezes = /^\s*(?:\(?[\d.]{3,20}\)\s{1,16})?Unfreezing tasks into \d/;

export function wayOf(text: string): Way | undefined {
  const match = ways.exec(text);
  if (match === null) return unfreezes.test(text) ? "dump" : undefined;
  return match[1] === undefined || match[1] === "Restor" ? "restore" : "dump";
}

/** Sources of the one alone, where a part of a log shows neither its beginning nor its end. */
const ofSource: readonly [RegExp, Way][] = [
  [/(?:^|\/)cr-dump\.c$/, "dump"],
  [/(?:^|\/)cr-restore\.c$/, "restore"],
];

export const wayOfSource = ({ file }: LogLine): Way | undefined =>
  ofSource.find(([says]) => says.test(file))?.[1];
