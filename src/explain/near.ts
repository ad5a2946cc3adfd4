/**
 * A message that people have shortened, retold or broken: no entry has all of it, but most of its words are those of one. Rare
 * words tell more than common ones, and have to stand in the entry's order. What is found here is said to be found so.
 */
import { type Errno, splitErrno, upToErrno } from "./errno.ts";
import { type Candidate, isOwn, isThere, type Place, rankOf } from "./rank.ts";
import { begun, holesAs, weightOf } from "./words.ts";

interface Near {
  readonly candidate: Candidate;
  readonly errno: Errno | undefined;
  /** 1: all words of both. */
  readonly near: number;
}

/** Of the words of both, by their weights, that are common to both: in the line's own source, and where no source is told. */
const ENOUGH = { own: 0.5, any: 0.75 };
/** Words that have to be common, and how much they have to weigh; a word that one message in a thousand has weighs 7. */
const WORDS = { own: 2, any: 4 };
const WEIGHT = { own: 8, any: 14 };
/** How far the nearest has to be from the next that says another thing. */
const AHEAD = 1.05;
/** Words of a line that are looked at. */
const LONGEST = 60;

interface Known {
  readonly candidate: Candidate;
  readonly words: readonly string[];
  /** Of all its words. */
  readonly weight: number;
}
export interface NearIndex {
  readonly byWord: ReadonlyMap<string, readonly Known[]>;
  weightOf(words: readonly string[]): number;
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replaceAll("cannot", "can't")
    // Paths vary.
    .replaceAll(/\S*[/\\]\S*/g, (path) => (/^\w+\/\w+$/.test(path) ? path : " "))
    .match(/[a-z][a-z0-9_']+/g)
    ?.slice(0, LONGEST) ?? [];

export function nearIndexOf(candidates: Iterable<Candidate>): NearIndex {
  const all = Array.from(candidates, (candidate) => ({
    candidate,
    words: wordsOf(holesAs(candidate.text, " ")),
    weight: 0,
  }));
  const byWord = new Map<string, Known[]>();
  for (const known of all)
    for (const word of new Set(known.words)) {
      const list = byWord.get(word) ?? [];
      byWord.set(word, list);
      list.push(known);
    }
  const weights = new Map(
    byWord.entries().map(([word, { length }]) => [word, Math.log(all.length / length)]),
  );
  const weigh = (words: readonly string[]) =>
    words.reduce((sum, word) => sum + (weights.get(word) ?? 0), 0);
  for (const known of all) known.weight = weigh(known.words);
  return { byWord, weightOf: weigh };
}

/** The one entry that a message is nearest to; undefined where none is near, or two that differ are as near. */
export function nearest(index: NearIndex, message: string, place: Place): Near | undefined {
  const { said, errno } = splitErrno(upToErrno(message) ?? message);
  const words = wordsOf(said).filter((word) => index.byWord.has(word));
  let best: Near | undefined;
  let second = 0;
  for (const { candidate, words: its, weight } of sharing(index, words)) {
    const kind = isOwn(candidate, place, message) ? "own" : "any";
    if ((place.file !== undefined && kind !== "own") || candidate.entry.guard !== undefined)
      continue;
    if (!isThere(candidate, place)) continue;
    const at = commonIn(its, words);
    const common = index.weightOf(at.map((one) => words[one]!));
    if (at.length < WORDS[kind] || common < WEIGHT[kind]) continue;
    // What stands before and behind may be somebody's own sentence.
    const between = index.weightOf(words.slice(at[0], at.at(-1)! + 1));
    const near = common / (between + weight - common);
    if (near < ENOUGH[kind] || rankOf(candidate, place.way, kind === "own", errno) < 0) continue;
    const isOther = best !== undefined && best.candidate.entry !== candidate.entry;
    if (isOther) second = Math.max(second, Math.min(near, best!.near));
    if (near > (best?.near ?? 0)) best = { candidate, errno, near };
  }
  if (best === undefined) return named(index, words);
  return best.near >= second * AHEAD ? best : undefined;
}

/** Exceptions and errors with a name of their own, which alone says what is the matter. */
const name = /^(?:\w*(?:checkpoint|restore|criu|crac|selector)\w{6,}exception|cuda_error_\w+)$/;

/** Of a name that only one program has: the entry that has it most often. */
function named(index: NearIndex, words: readonly string[]): Near | undefined {
  const known = words.filter((word) => name.test(word)).flatMap((word) => index.byWord.get(word)!);
  const counted = Map.groupBy(known, ({ candidate }) => candidate.entry).values();
  const [most] = [...counted].sort((one, other) => other.length - one.length);
  return most && { candidate: most[0]!.candidate, errno: undefined, near: 0 };
}

/** Those that have half of their weight in words of the message, in whatever order. */
function sharing(index: NearIndex, words: readonly string[]): Known[] {
  const shared = new Map<Known, number>();
  for (const word of new Set(words))
    for (const known of index.byWord.get(word)!)
      shared.set(known, (shared.get(known) ?? 0) + index.weightOf([word]));
  return [...shared].filter(([{ weight }, part]) => part >= weight / 2).map(([known]) => known);
}

/** What stands for the names in the entry's words, as far as the message has those letter by letter. */
export function valuesIn({ text }: Candidate, message: string): ReadonlyMap<string, string> {
  const [first = ""] = text.split(/[<*#]/, 1);
  const at = first.length < FIRST ? -1 : message.indexOf(first);
  if (at < 0) return new Map();
  const { said } = splitErrno(upToErrno(message.slice(at)) ?? message.slice(at));
  const { letters, values } = begun(text, said);
  // The last may go on with somebody's own words.
  return letters < weightOf(text) || /[>*]$/.test(text) ? new Map() : values;
}
const FIRST = 6;

/** Where in the other the longest row of words stands that both have in this order. */
function commonIn(one: readonly string[], other: readonly string[]): number[] {
  let row: number[][] = Array.from({ length: other.length + 1 }, () => []);
  for (const word of one) {
    const next: number[][] = [[]];
    for (const [at, theirs] of other.entries()) {
      const [left, above, before] = [next[at]!, row[at + 1]!, row[at]!];
      next.push(word === theirs ? [...before, at] : left.length >= above.length ? left : above);
    }
    row = next;
  }
  return row.at(-1)!;
}
