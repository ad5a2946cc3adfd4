/** A line of CRIU's that is called no error, and says what the kernel refused: told where a log has nothing else to tell. */
import { splitErrno } from "./errno.ts";
import { type Explanation, explain } from "./index.ts";
import type { Place } from "./rank.ts";

/** The time and number that CRIU puts in front of what it says. */
const stamp = /^\s*(?:\([\d.]{3,20}\)\s{0,16})?(?:pie: )?(?:\d{1,10}: )?(?=\S)/;
const LONGEST = 400;

/** What such a line says, without its time; undefined where it is another. */
export function refusalIn(text: string): string | undefined {
  if (text.length > LONGEST) return undefined;
  const said = text.replace(stamp, "");
  const { errno } = splitErrno(said);
  return errno === undefined || errno.name === "NONE" ? undefined : said;
}

/** What is known of it; of a mere consequence nothing is told. */
export function hintOf(refusal: string | undefined, place: Place): Explanation | undefined {
  const known = refusal === undefined ? undefined : explain(refusal, place);
  return known?.by === "criu" && !known.consequence ? known : undefined;
}
