/** What people and windows do to a message of others: a link is made of it, a word is broken by blanks or by the end of a line. */
import type { Line } from "./lines.ts";

/** What somebody made a link of, as GitHub does of `[ctr error](ctr: …)`: a message has blanks in it, an address none. */
export function withoutLink(text: string): string {
  const link = /\[([^\][\n]{1,400})\]\(/.exec(text);
  if (link === null) return text;
  const from = link.index + link[0].length;
  const to = text.lastIndexOf(")");
  const inner = text.slice(from, to);
  const told = [inner, link[1]!].find((each) => each.includes(" "));
  return to > from && told !== undefined
    ? text.slice(0, link.index) + told + text.slice(to + 1)
    : text;
}

/** Without blanks that stand in a word, or for one; "" where there are none. */
export function withoutGaps(text: string): string {
  if (text.length > LONGEST) return "";
  const without = text.replace(/(?<=[\w']) {3,40}(?=['a-z])/g, "");
  return without === text ? "" : without;
}

/** With the next line, or two, where it may go on there, and what of that is not its own. */
export function joinedWithNext({ text, next }: Line): { whole: string; rest: string }[] {
  const [first, second, third] = [text.trim(), (next() ?? "").trim(), (next(2) ?? "").trim()];
  if (first.length < SHORTEST || first.length + second.length > LONGEST) return [];
  if (!isRest(second)) return [];
  if (/\W$/.test(first) && /^[A-Z]/.test(second)) return [];
  const rests = [
    second,
    ` ${second}`,
    ...(third.length < LONGEST && isRest(third) ? [second + third] : []),
  ];
  return rests.map((rest) => ({ whole: withoutEnd(first + rest), rest: withoutEnd(rest.trim()) }));
}
/** Letters of a line that may have been broken. */
const SHORTEST = 16;
/** No window is so wide. */
const LONGEST = 1024;

const isRest = (text: string): boolean => /\w/.test(text) && !begun.test(text);
/** A line that begins anew. */
const begun =
  /^(?:\[?\d{4}-\d\d-\d\d|\(?\d+\.\d{6}\)|time=|[$#>|*-] |\d{1,2}[.)] |\w{1,40}\.go:\d{1,6}: |\w{4,5}\[\d|Error\b|Warn\b|ctr: |lxc-|\S{1,40}@\S{1,40}[:#$ ])/;
const withoutEnd = (text: string): string =>
  text.replace(/(?:: unknown)?["'`)\]}*_”’».,]{0,4}$/, "");
