/** A line of CRIU's that is called no error, and says what the kernel refused: told where a log has nothing else to tell. */
import { splitErrno } from "./errno.ts";
import { type Explanation, explain } from "./index.ts";
import type { Line } from "./lines.ts";
import type { Place } from "./rank.ts";

/** The time and number that CRIU puts in front of what it says. */
const stamp = /^\s*(?:\([\d.]{3,20}\)\s{0,16})?(?:pie: )?(?:\d{1,10}: )?(?=\S)/;
const LONGEST = 400;
/** Lines in which it stands for whom CRIU waits. */
const BEFORE = 6;

/** The kernel's answer as a number, after which a dump ends without an error. */
const ending =
  /^sockets: Sockets collect procedure family \S{1,20} proto (?!IPPROTO_RAW)\S{1,20}: -2$/;
const trapped = /^(\d{1,10}) was trapped$/;
const waiting = /\bWaiting for (\d{1,10}) to trap$/;

/** Whether it is one that no later refusal takes the place of. */
export const isEnding = (refusal: string | undefined): boolean =>
  refusal !== undefined && ending.test(refusal);

/** What such a line says, without its time; undefined where it is another. */
export function refusalIn({ text, before }: Line): string | undefined {
  if (text.length > LONGEST) return undefined;
  const said = text.replace(stamp, "").trimEnd();
  if (ending.test(said)) return said;
  const other = trapped.exec(said)?.[1];
  if (other !== undefined) {
    const last = before(BEFORE).findLast((line) => waiting.test(line.trimEnd())) ?? "";
    const pid = waiting.exec(last.trimEnd())?.[1];
    return pid === undefined || pid === other
      ? undefined
      : `${other} was trapped, and CRIU waited for ${pid}`;
  }
  const { errno } = splitErrno(said);
  return errno === undefined || errno.name === "NONE" ? undefined : said;
}

/** What is known of it; of a mere consequence nothing is told. */
export function hintOf(refusal: string | undefined, place: Place): Explanation | undefined {
  const known = refusal === undefined ? undefined : explain(refusal, place);
  return known?.by === "criu" && !known.consequence ? known : undefined;
}
