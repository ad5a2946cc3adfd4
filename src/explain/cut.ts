/** A message that was cut in its middle: as what it may go on, by the messages of its source that begin so. */
import type { LogLine } from "../criu/log.ts";
import { entries } from "./entries/index.ts";
import type { Lead } from "./lead.ts";
import { isSameSource, prefixes } from "./rank.ts";
import { holesAs } from "./words.ts";

/** Letters that are enough to begin with, and with which a line is hardly cut. */
const SHORTEST = 4;
const LONGEST = 48;
const TOLD = 8;

/** Where to look, with the messages of which a line has the beginning alone. */
export function withWhole(lead: Lead | undefined, { message, file }: LogLine): Lead | undefined {
  const may = lead === undefined ? [] : goesOnIn(message, file);
  if (lead === undefined || may.length === 0) return lead;
  const told = may.slice(0, TOLD).map((text) => `"${text}"`);
  const more = may.length > TOLD ? `, and ${may.length - TOLD} more` : "";
  return {
    ...lead,
    look: `the line is cut, and the log itself has its end: grep -n Error LOG; of ${file} these begin so: ${told.join(", ")}${more}; ${lead.look}`,
  };
}

function goesOnIn(message: string, file: string): string[] {
  const begun = message.replace(prefixes, "").replace(/\s*(?:\.{3}|…)?\s*$/, "");
  if (file === "" || begun.length < SHORTEST || begun.length > LONGEST) return [];
  const texts = entries()
    // What stands around a cut line may have told already which it is.
    .filter(
      ({ files, beside }) =>
        beside === undefined && files.some((own) => own !== "*" && isSameSource(own, file)),
    )
    .flatMap(({ says }) => says.map(({ text }) => holesAs(text.replace(prefixes, ""), "…")))
    .filter((text) => text.startsWith(begun) && text.length > begun.length);
  return [...new Set(texts)];
}
