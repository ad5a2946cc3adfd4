/**
 * CRIU's words, with holes for what varies, against a message. Piece by piece from the left, so that no line of a hostile
 * log takes longer than its length.
 */

/** `*` and `<name>`: any text, also none, as CRIU prints what it does not have; `#` and `<#name>`: a number. */
const holes = /<#?\w+>|\*|#/;
const everyHole = new RegExp(holes, "g");
/** Also what people write in its place. */
const NUMBER =
  "(?:[-+]?(?:0x)?[0-9a-fA-F]+|(?:0x)?%[-#0-9.]{0,6}[hljz]{0,2}[diouxX]|<[\\w-]{1,20}>|\\{[\\w-]{1,20}\\}|\\$\\w{1,20}|PID|TID|N|X{1,8}\\b)";

export const hasHole = (word: string): boolean => holes.test(word);

/** Letters that do not vary. */
export const weightOf = (text: string): number => holesAs(text, "").length;

/** Values of the named holes; undefined where the message is another. */
export type Matcher = (message: string) => Map<string, string> | undefined;

export function matcherOf(text: string): Matcher {
  // Between holes for texts: letters and numbers, as one pattern without repetition of repetitions.
  const [first = "", ...rest] = text.split(/(<\w+>|\*)/);
  const head = new RegExp(`^${sourceOf(first)}${rest.length === 0 ? "$" : ""}`);
  const further: { name: string; pattern: RegExp }[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    const end = at + 2 >= rest.length ? "$" : "";
    further.push({ name: rest[at]!, pattern: new RegExp(`${sourceOf(rest[at + 1]!)}${end}`, "g") });
  }
  return (message) => {
    const values = new Map<string, string>();
    const begin = head.exec(message);
    if (begin === null) return undefined;
    keep(values, begin.groups);
    let at = begin[0].length;
    for (const { name, pattern } of further) {
      pattern.lastIndex = at;
      const match = pattern.exec(message);
      if (match === null) return undefined;
      if (name !== "*") values.set(name.slice(1, -1), message.slice(at, match.index));
      keep(values, match.groups);
      at = match.index + match[0].length;
    }
    return values;
  };
}

function keep(values: Map<string, string>, groups: Record<string, string> | undefined): void {
  for (const [name, value] of Object.entries(groups ?? {})) values.set(name, value);
}

const sourceOf = (piece: string): string =>
  piece
    .split(/(<#\w+>|#)/)
    .map((part) => {
      if (part === "#") return NUMBER;
      const name = /^<#(\w+)>$/.exec(part)?.[1];
      if (name !== undefined) return `(?<${name}>${NUMBER})`;
      return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    })
    .join("");

/** CRIU's words with one sign for every hole. */
export const holesAs = (text: string, sign: string): string => text.replace(everyHole, sign);

/** Of a message that is cut off or goes on: how many letters of CRIU's words it has from the first on, and what is in the holes. */
export function begun(
  text: string,
  message: string,
): { letters: number; values: Map<string, string> } {
  const values = new Map<string, string>();
  const [first = "", ...rest] = text.split(/(<#?\w+>|\*|#)/);
  if (!message.startsWith(first)) return { letters: commonLength(first, message), values };
  let letters = first.length;
  let at = first.length;
  for (let next = 0; next < rest.length; next += 2) {
    const name = rest[next]!.replace(/^<#?|>$|^[*#]$/g, "");
    const piece = rest[next + 1]!;
    const found = piece === "" ? -1 : message.indexOf(piece, at);
    const more = found < 0 ? begunLength(piece, message.slice(at)) : piece.length;
    const end = found < 0 ? message.length - more : found;
    if (name !== "" && end > at) values.set(name, message.slice(at, end).trim());
    letters += more;
    at = end + more;
    if (found < 0) break;
  }
  return { letters, values };
}

/** How many letters both begin with, where that is most of the piece, or all of the message; else 0. */
function commonLength(piece: string, message: string): number {
  let length = 0;
  while (length < piece.length && piece[length] === message[length]) length += 1;
  if (length === message.length) return length;
  // Words that only begin alike are others.
  const whole = length === piece.length ? length : piece.lastIndexOf(" ", length) + 1;
  return whole > piece.length * MOST ? whole : 0;
}
const MOST = 0.6;

/** How much of a piece the message ends with. */
function begunLength(piece: string, rest: string): number {
  let length = Math.min(piece.length, rest.length);
  while (length > 0 && !rest.endsWith(piece.slice(0, length))) length -= 1;
  return length;
}
