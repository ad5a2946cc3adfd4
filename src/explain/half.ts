/**
 * A message that ends in the middle, as a window, a mouse or a limit of letters cuts it: the words that begin so, where all that
 * do are the same, or begin with these.
 */
import type { Found, Index } from "./find.ts";
import { type Candidate, isOwn, isThere, type Place, rankOf } from "./rank.ts";
import { holesAs, matcherOf } from "./words.ts";

/** Letters of it: of a source's own, and where none tells whose words they are. */
const LEAST = { own: 8, any: 20 };

interface Cut extends Omit<Found, "errno"> {
  readonly candidate: Candidate;
}

/** With a source the words are that source's, else anybody's. */
export function cutOf(index: Index, message: string, place: Place): Cut | undefined {
  const isOthers = place.file === undefined;
  if (message.length < (isOthers ? LEAST.any : LEAST.own)) return undefined;
  const fitting: Cut[] = [];
  for (const candidate of candidatesOf(index)) {
    const { entry, words, text } = candidate;
    const own = !isOthers && isOwn(candidate, place, message);
    if (isOthers ? entry.common || text[0] !== message[0] : !own) continue;
    const begun = begunAs(text, message);
    if (begun === undefined || !isThere(candidate, place)) continue;
    // Of a whole word nothing shows that the line went on, where its source does not vouch for it.
    if (isOthers && !/\w/.test(begun.next)) continue;
    const { values } = begun;
    if (rankOf(candidate, place.way, own, undefined) >= 0)
      fitting.push({ entry, words, values, candidate });
  }
  const shown = ({ candidate: { text } }: Cut): string => holesAs(text, "…");
  const [first] = fitting.toSorted(
    (one, other) =>
      shown(one).length - shown(other).length ||
      Number(other.entry.beside !== undefined) - Number(one.entry.beside !== undefined),
  );
  return first !== undefined && fitting.every((each) => shown(each).startsWith(shown(first)))
    ? first
    : undefined;
}

interface Begun {
  /** What stands in the holes. */
  readonly values: ReadonlyMap<string, string>;
  /** The letter with which the words go on. */
  readonly next: string;
}

/** Words that a message is the beginning of; undefined where it is not. */
function begunAs(text: string, message: string): Begun | undefined {
  const [first = "", ...rest] = text.split(/(<#?\w+>|\*|#)/);
  if (message.length <= first.length)
    return first.startsWith(message)
      ? { values: new Map(), next: first[message.length] ?? "" }
      : undefined;
  if (!message.startsWith(first)) return undefined;
  let before = first;
  for (let at = 0; at < rest.length; at += 2) {
    before += rest[at]!;
    const piece = rest[at + 1]!;
    let letters = Math.min(piece.length, message.length);
    while (letters > 0 && !message.endsWith(piece.slice(0, letters))) letters -= 1;
    const values = letters > 1 ? matcherOf(before + piece.slice(0, letters))(message) : undefined;
    if (values !== undefined) return { values, next: piece[letters] ?? "" };
    before += piece;
  }
  return undefined;
}

/** Each once, of an index that has them by their first words. */
function candidatesOf(index: Index): ReadonlySet<Candidate> {
  const kept = all.get(index) ?? new Set([...index.values()].flat());
  all.set(index, kept);
  return kept;
}
const all = new WeakMap<Index, ReadonlySet<Candidate>>();
