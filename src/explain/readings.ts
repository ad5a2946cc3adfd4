/** Where in what others say the message stands that an entry has: in quotes, broken, with a person's words before and behind it. */
import { ofHelper } from "./called.ts";
import { joinedWithNext, withoutGaps, withoutLink } from "./broken.ts";
import { type Explanation, explain, explainCut, explainNear, lettersKnown } from "./index.ts";
import type { Line } from "./lines.ts";
import { FEW, type Place } from "./rank.ts";

/** What CRIU was doing, and what was seen of what entries want beside their words. */
export type Around = Pick<Place, "way" | "beside">;

/** Letters that an entry has fixed, of which none of these words say that they are about CRIU or a checkpoint. */
export const SURE = 22;
/** Letters of a line that are looked at. */
export const LONGEST = 2048;

/** Where in a line the message may begin and end. */
export function readingsOf(
  { text, next, before }: Line,
  words: boolean,
  about: Around,
): [string, Place][] {
  // containerd ends what it passes on with the kind of the error.
  const whole = withoutLink(text.trim()).replace(/: unknown["'`)\]}*_”’».,]{0,4}$/, "");
  const [, program, error, rest = ""] = /^((?!error|fatal)\w+: )?((?:error|fatal): )?(.*)$/is.exec(
    whole,
  )!;
  const isAlone = before(1).length === 0 && (next() ?? "").trim() === "";
  // A program that calls it an error marks where the message begins.
  const begins = words || error !== undefined;
  // Few words of another program are its own, though CRIU has the same; CRIU writes a large E.
  const isOthers = program === undefined ? error !== "Error: " : !program.startsWith("criu");
  return [
    [begins ? rest : "", { loose: !words && isOthers, ...about }],
    // Quoted, in brackets, or in bold.
    [unquoted(whole), { loose: true, ...about }],
    // A window that broke a word left blanks in it.
    [withoutGaps(whole), { loose: true, ...about, least: SURE }],
    // Behind somebody's own words.
    [/ Error: (.*)$/s.exec(whole)?.[1] ?? "", about],
    // Within them.
    ...[...quotedIn(whole), ...behindNamesIn(whole), whole].map((quoted): [string, Place] => [
      quoted,
      isCrius(quoted, isAlone) ? about : { loose: true, ...about },
    ]),
    // Somebody's sentence goes on with it.
    ...quotedIn(whole)
      .map((quoted) => quoted[0]!.toUpperCase() + quoted.slice(1))
      .filter((quoted) => !whole.includes(quoted))
      .map((quoted): [string, Place] => [quoted, { ...about, least: SURE }]),
    // A mail or a terminal broke it.
    [whole.endsWith(":") ? joined(whole, next) : "", { loose: true, ...about }],
  ];
}

/** Without what closes a quotation around it; a bracket that is part of a name closes there. */
function unquoted(whole: string): string {
  const without = whole.replace(/(?:\\n|[\s"'`)\]}*_>”’»|~.,]){1,16}$/, "");
  const open = without.lastIndexOf("[");
  const isPart = open > without.lastIndexOf("]") && /[\w:]/.test(without.charAt(open - 1));
  return isPart && whole.charAt(without.length) === "]" ? `${without}]` : without;
}

/** What a line says with those that it goes on in, where none of these says as much by itself. */
export function brokenIn(line: Line, about: Around): Explanation | undefined {
  const known = joinedWithNext(line).flatMap(({ whole, rest }) => {
    const one = explain(whole, { loose: true, ...about, least: SURE });
    const without = explain(rest, { loose: true, ...about });
    return one !== undefined && weightOf(one) > weightOf(without) ? one : [];
  });
  return known.toSorted((one, other) => weightOf(other) - weightOf(one))[0];
}

/** With the lines that follow, as long as what is there ends in the middle. */
export function joined(whole: string, next: Line["next"]): string {
  let text = whole;
  for (let count = 1; count <= BROKEN && text.endsWith(":"); count += 1) {
    const following = (next(count) ?? "").trim();
    // A daemon's next line begins anew.
    if (dated.test(following)) break;
    text += ` ${following}`;
  }
  return text;
}
const BROKEN = 3;
const dated = /^\[?\d{4}-\d\d-\d\d[T ]\d\d:/;

/** Of others' lines the one that is nearest to words that are known. */
export function nearestOf(lines: readonly string[], about: Around): Explanation | undefined {
  const known = lines.flatMap(
    (text) => explain(text, about) ?? endedIn(text, about) ?? explainNear(text, about) ?? [],
  );
  const [best] = known.toSorted((one, other) => weightOf(other) - weightOf(one));
  // Of those that say the same the one with least around it.
  return known
    .filter(({ cause }) => cause === best?.cause)
    .sort((one, other) => one.line.length - other.line.length)[0];
}

/** A message that the end of a line cut off, behind other words. */
export function cutIn(text: string, about: Around): Explanation | undefined {
  const message = text.trim().replace(/ ?(?:…|\.{3}|>)$/, "");
  for (const { index } of Array.from(message.matchAll(/(?:^|(?<=[\s"'`]))\w/g)).slice(0, TAIL)) {
    const known = explainCut(message.slice(index), about);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** A message that somebody's own sentence goes on behind. */
function endedIn(text: string, about: Around): Explanation | undefined {
  for (const { index } of Array.from(text.matchAll(goesOnWith)).slice(0, ENDS)) {
    const known = explain(text.slice(0, index), { loose: true, ...about });
    if (known !== undefined) return known;
  }
  return undefined;
}
const ENDS = 6;
const goesOnWith =
  /(?:[.,;)]|`| [-–—])? (?:when|while|if|after|before|but|and|so|because|which|how|what|why|on|in|at|I)\b/g;

/** What a line quotes of CRIU's, where that is more than one thing. */
export function severalIn(text: string, about: Around): Explanation[] {
  const quoted = quotedIn(text).filter((words) => isCrius(words));
  const known = quoted.flatMap((words) => explain(words, about) ?? []).filter(isReason);
  return [...new Map(known.map((each) => [each.cause, each])).values()];
}
const isReason = ({ by, consequence }: Explanation): boolean => by === "criu" && !consequence;

/** The words of each stand in the cause; a remedy is pasted, and nothing of the line is in it that is not quoted for that. */
export const together = (line: string, each: readonly Explanation[]): Explanation => ({
  ...each[0]!,
  line: line.trim(),
  cause: each.map((one, at) => `(${at + 1}) "${one.line}": ${one.cause}`).join("; "),
  because: undefined,
  remedy: each.map((one, at) => `of (${at + 1}) ${one.remedy}`).join("; "),
  also: each.slice(1).flatMap(({ check }) => check || []),
  issues: [...new Set(each.flatMap(({ issues }) => issues))],
});

/** A message from its first word on, with a tail of something else: cut from the end until only CRIU has such words. */
export function begunWith(lines: readonly string[], about: Around): Explanation | undefined {
  for (const text of lines)
    for (const { index } of Array.from(text.matchAll(/ /g)).toReversed().slice(0, TAIL)) {
      const message = text.slice(0, index);
      if (lettersKnown(message, {}) < BEGUN) continue;
      const known = explain(message, { ...about, least: BEGUN });
      if (known?.by === "criu") return known;
    }
  return undefined;
}
/** Letters that CRIU has alone, without its subsystem: "Unable to create directory" is anybody's. */
const BEGUN = 27;
/** Words of a tail. */
const TAIL = 40;

/** Words that only CRIU has so: by its own prefix, or all of a message and nothing else; few only where nothing is around them. */
const isCrius = (text: string, isAlone = false): boolean =>
  ownPrefix.test(text) || lettersKnown(text, {}) >= (isAlone ? 1 : FEW);
const ownPrefix =
  /^(?:sk )?(?:inet|unix|mnt(?:-v2)?|tty|cg|cg-prop|fsnotify|uffd|page-xfer|vdso|fdinfo|irmap|soccr|mqueue|seccomp|pidfd|timerfd|tcp): (?=[A-Z])/;

/** What stands in quotes, the first of it. */
export const quotedIn = (text: string): string[] =>
  Array.from(
    text
      .slice(0, LONGEST)
      .matchAll(/["`“]([^"`“”]{12,400})["`”]|(?<!\w)'((?:[^'\n]|(?<=\w)'(?=\w)){12,400})'(?!\w)/g),
    ([, inner, single]) => (inner ?? single!).replace(/^\*{1,3}|\*{1,3}$/g, ""),
  )
    .filter((inner) => inner.includes(" "))
    .slice(0, QUOTES);
const QUOTES = 4;

/** The same where names are quoted before it: the end of one of those begins nothing. */
const behindNamesIn = (text: string): string[] =>
  Array.from(text.slice(0, LONGEST).matchAll(/`([^`]{0,400})`/g), ([, inner]) => inner!)
    .filter((inner) => inner.length >= NAME && inner.includes(" "))
    .filter((inner) => !quotedIn(text).includes(inner))
    .slice(0, QUOTES);
/** Letters that a name may have. */
const NAME = 12;

/** CRIU's own words say more than those of the program that ran it, a reason more than what came of it, and a success the least. */
export const weightOf = (said: Explanation | undefined): number =>
  said === undefined
    ? 0
    : said.by === "runtime" && ofTransport.test(said.line)
      ? LEAST
      : (said.by === "criu" ? 2 : 1) +
        (said.consequence ? 0 : 2) -
        (said.quiet ? 0.5 : 0) +
        (decides.test(said.line) || ofTool(said) ? 1 : 0);
const LEAST = 0.25;
/** A connection between two machines ends by what failed on one of them: even that something failed there says more. */
const ofTransport = /\bwebsocket: (?:bad handshake|close \d)/;
/** What a program says that CRIU called is why CRIU failed, of which an engine says only that it did. */
const ofTool = ({ by, line }: Explanation): boolean =>
  by === "runtime" && (ofHelper.test(line) || ofNft.test(line));
const ofNft = /^[\s>]{0,16}(?:line \d{1,6}: )?(?:CHAIN|RULE|TABLE)_[A-Z_]{2,24} failed \(/;
/** A denial by which CRIU's code in a task cannot speak with CRIU: an engine that says only that CRIU failed says less. */
const decides =
  /(?:\bavc: {1,2}denied .{1,200}(?:\/crtools-|path=002F6372746F6F6C73)(?!.{0,400}permissive=1)|\bapparmor="DENIED" .{1,400}\/crtools-)/;
