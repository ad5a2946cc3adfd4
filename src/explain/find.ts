/**
 * From a message to the entry that claims it. Entries are found by the first words of theirs that do not vary, so that
 * thousands cost a look-up; of several that fit, the one with most fixed letters is meant.
 */
import type { Entry, Words } from "./entry.ts";
import { type Errno, errnoOf, splitErrno } from "./errno.ts";
import {
  type Candidate,
  FEW,
  isOwn,
  isSentence,
  isThere,
  mayBe,
  type Place,
  prefixes,
  rankOf,
  subsystemOf,
} from "./rank.ts";
import { begun, hasHole, matcherOf, weightOf } from "./words.ts";

export interface Found {
  readonly entry: Entry;
  readonly words: Words;
  readonly errno: Errno | undefined;
  /** The errno is the one that the line, of which the end is cut off, may go on with. */
  readonly isCut?: boolean;
  /** What stands for a name in the entry's texts. */
  readonly values: ReadonlyMap<string, string>;
}

export type Index = ReadonlyMap<string, readonly Candidate[]>;

/** So few that they tell, in a line of a source's own, what it began to say. */
const FEW_OWN = 14;
/** Of the words of another source, or of others. */
const NEARLY = 0.85;
/** With so many letters others' words are theirs with another first letter, too. */
const LONG = 24;
/** How many first words make a key. */
const KEY = 3;

/** Words behind which CRIU's may begin, and the longest message that is looked for there. */
const LOOSE = 100;
const LONGEST = 4096;

/** As people and versions write it. */
const bare = (text: string): string => {
  const collapsed = text.replaceAll(/[ \t]+/g, " ").replaceAll(/\b[Cc]annot /g, "Can't ");
  let end = collapsed.length;
  while (end > 0 && ENDS.includes(collapsed[end - 1]!)) end -= 1;
  return collapsed.slice(0, end).trimStart();
};
const ENDS = ".! \n\r\\";
/** What a word of somebody's may begin with. */
const QUOTES = `"'\`([{*_“‘«|~`;
/** `Q:` or `msg="` in front of it, and no space. */
const label = /^(?:[A-Za-z]{1,8}:(?=[A-Z])|[\w-]{1,16}=["'`])/;

export function indexOf(entries: readonly Entry[]): Index {
  const index = new Map<string, Candidate[]>();
  for (const entry of entries)
    for (const words of entry.says) {
      // Others have no subsystems.
      const prefix = entry.files.length === 0 ? "" : subsystemOf(words.text);
      const own = bare(words.text.slice(prefix.length));
      const weight = weightOf(own);
      // Their releases begin the same words with a large letter or a small one.
      const isLong = entry.files.length === 0 && weight >= LONG;
      for (const text of new Set([own, isLong ? otherCase(own) : own])) {
        const candidate = { entry, words, prefix, text, weight };
        const key = keyOf(text);
        for (const one of [key, ...shorterKeys(key)]) {
          const list = index.get(one) ?? [];
          index.set(one, list);
          list.push(candidate);
        }
      }
    }
  return index;
}

/** Where it begins with a letter, that in the other case. */
function otherCase(text: string): string {
  const [first = ""] = text;
  const upper = first.toUpperCase();
  return (first === upper ? first.toLowerCase() : upper) + text.slice(1);
}

/** For messages that end where the key goes on. */
const shorterKeys = (key: string): string[] => {
  const words = key.split(" ");
  return words.slice(1).map((_, more) => cutShort(words.slice(0, more + 1).join(" ")));
};
const cutShort = (message: string): string => `${message} …`;

/** Up to three words from the beginning, as far as they do not vary; a first one that does is left out. */
function keyOf(text: string): string {
  const words = text.split(" ");
  const first = hasHole(words[0]!) ? 1 : 0;
  const fixed = words.slice(first, first + KEY);
  const end = fixed.findIndex(hasHole);
  return (end < 0 ? fixed : fixed.slice(0, end)).join(" ");
}

/** The entry that is meant; of no loose words also one that they are only the beginning of. */
export const find = (index: Index, message: string, place: Place = {}): Found | undefined =>
  findWhole(index, message, place) ??
  (place.loose === true ? undefined : findBegun(index, message, place));

/** What the kernel may answer to any request: two of them begin alike as a rule, and an entry that names one excludes no other. */
const ofAnything: ReadonlySet<string> = new Set([
  "EPERM",
  "EOPNOTSUPP",
  "ENOENT",
  "ESRCH",
  "ENXIO",
  "ENODEV",
]);

export function findWhole(index: Index, message: string, place: Place): Found | undefined {
  const { said, errno, possible = [] } = splitErrno(message);
  // Of an errno that was cut off the one that an entry of these words names, where only one does.
  const isOpen = possible.filter(({ name }) => ofAnything.has(name)).length > 1;
  const named = (isOpen ? [] : possible).flatMap((each) => {
    const found = findAs(index, message, place, said, each);
    return found !== undefined && !found.words.not && found.words.errnos.includes(each.name)
      ? found
      : [];
  });
  return named.length === 1
    ? { ...named[0]!, isCut: true }
    : findAs(index, message, place, said, errno);
}

function findAs(
  index: Index,
  message: string,
  place: Place,
  said: string,
  errno: Errno | undefined,
): Found | undefined {
  let best: Found | undefined;
  let most = -1;
  // Without and with what looks like the words of an errno, and like a prefix.
  for (const whole of new Set([bare(said), bare(message)])) {
    // Of CRIU's an errno stands behind the words; others have written words out that look like one.
    if (best !== undefined && !best.entry.trailer && best.entry.files.length > 0) break;
    for (const start of startsOf(whole, place.loose === true))
      for (const candidate of candidatesOf(index, start)) {
        const { entry, words } = candidate;
        const own = isOwn(candidate, place, message);
        if (!isThere(candidate, place) || !mayBe(candidate, place, own, message)) continue;
        const values = (candidate.matches ??= matcherOf(candidate.text))(start);
        if (values === undefined || (!own && isSentence(values, candidate, place))) continue;
        if (place.loose === true && isPhrase(values)) continue;
        const number = values.get("errno");
        const told = errno ?? (number === undefined ? undefined : errnoOf(number));
        const guarded = entry.guard?.(values) ?? 1;
        const rank = guarded === 0 ? -1 : rankOf(candidate, place.way, own, told) + guarded - 1;
        // Of those that only lead to others the one furthest behind is the nearest to the reason.
        if (rank < most || (rank === most && !(entry.trailer && entry.files.length === 0)))
          continue;
        most = rank;
        best = { entry, words, errno: told, values };
      }
  }
  return best;
}

/** What has an id has it in one word: where several stand there, it is a sentence that only begins and ends alike. */
const isPhrase = (values: ReadonlyMap<string, string>): boolean =>
  (values.get("id") ?? "").trim().includes(" ");

/** Where somebody left words out; in a path it is a part of that. */
const ellipsis = /\s(?:\.{3}|…)(?=\s|$).*$/;

/** Of a message that was cut off, or that another version ends otherwise: the entry that has most of its words. */
function findBegun(index: Index, message: string, place: Place): Found | undefined {
  const { said, errno } = splitErrno(message);
  let best: Found | undefined;
  let most = 0;
  for (const start of startsOf(bare(said.replace(ellipsis, "")), false))
    for (const candidate of [
      ...candidatesOf(index, start),
      ...(index.get(cutShort(start.length < FEW && place.file === undefined ? "" : start)) ?? []),
    ]) {
      const { entry, words, text, weight } = candidate;
      const { letters, values } = begun(text, start);
      const own = isOwn(candidate, place, message);
      const whole = letters === start.length && letters > FEW / 2;
      // A few letters are no other source's, and of its words it has to be most.
      const enough =
        place.file === undefined
          ? letters >= (entry.files.length === 0 ? Math.max(FEW, weight * NEARLY) : FEW) || whole
          : own
            ? letters >= FEW_OWN || whole
            : letters >= Math.max(FEW, weight * NEARLY);
      const { least } = place;
      if (least !== undefined && (entry.common || (letters < least && entry.files.length > 0)))
        continue;
      if (!enough || !isThere(candidate, place) || entry.guard?.(values) === 0) continue;
      if (!own && isSentence(values, candidate, place)) continue;
      // Of the same words those that what stands around asks for.
      const asked = entry.beside === undefined ? 0 : 0.0005;
      const rank =
        rankOf(candidate, place.way, own, errno) < 0 ? -1 : letters - weight / 1000 + asked;
      if (rank <= most) continue;
      most = rank;
      best = { entry, words, errno, values };
    }
  return best;
}

/** The message, also without its prefix; or, of words behind others, from each word on, as far as they may be about it. */
function* startsOf(message: string, loose: boolean): Generator<string> {
  if (loose) {
    let at = 0;
    for (let word = 0; word < LOOSE && (word === 0 || at > 0); word += 1) {
      yield message.slice(at, at + LONGEST);
      let quoted = at;
      while (QUOTES.includes(message[quoted] ?? " ")) quoted += 1;
      quoted += label.exec(message.slice(quoted, quoted + FEW))?.[0].length ?? 0;
      if (quoted > at) yield message.slice(quoted, quoted + LONGEST);
      at = message.indexOf(" ", at) + 1;
    }
    return;
  }
  yield message;
  const without = message.replace(prefixes, "");
  if (without === message) return;
  yield without;
  yield without.replace(prefixes, "");
}

function* candidatesOf(index: Index, message: string): Generator<Candidate> {
  const words = message.split(" ", KEY + 1);
  for (const first of [0, 1])
    for (let last = first + 1; last <= Math.min(first + KEY, words.length); last += 1)
      yield* index.get(words.slice(first, last).join(" ")) ?? [];
  yield* index.get("") ?? [];
}
