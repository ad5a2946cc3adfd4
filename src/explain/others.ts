/**
 * What others than CRIU say, line by line: a runtime, an engine, a person who quotes a message. The reading of it that says
 * most; and who speaks, and where CRIU's own log is, where that is said.
 */
import { parseLogLine } from "../criu/log.ts";
import { questions } from "./asked.ts";
import { joinedWithNext, withoutGaps, withoutLink } from "./broken.ts";
import { type Explanation, explain, explainNear, lettersKnown } from "./index.ts";
import { type Lead, leadOf } from "./lead.ts";
import type { Line } from "./lines.ts";
import { FEW, type Place } from "./rank.ts";
import { logNamed, logOfCommand } from "./runtimes.ts";
import {
  isAboutCriu,
  isForeign,
  isOfBuild,
  isTest,
  isWithoutCriu,
  type Speaker,
  speakerOf,
} from "./speakers.ts";

/** What CRIU was doing, and what was seen of what entries want beside their words. */
type Around = Pick<Place, "way" | "beside">;

interface Heard {
  said: Explanation | undefined;
  /** Where nothing says why: where to look. */
  lead: Lead | undefined;
  speaker: Speaker | undefined;
  named: string | undefined;
  /** A line says that CRIU failed. */
  failed: boolean;
  /** It shows what a terminal does, and no line of it sounds like a failure. */
  uneventful: boolean;
  /** Something of it is about CRIU, or a checkpoint. */
  isAbout: boolean;
}

/** Lines of which a meaning is looked for. */
const FOREIGN = 500;
/** Letters that an entry has fixed, of which none of these words say that they are about CRIU or a checkpoint. */
const SURE = 22;
/** Texts that no entry has, and letters of one. */
const UNKNOWN = 100;
const SAID = 400;
/** Letters of a line in which its speaker is looked for. */
const LONGEST = 2048;

/** `words`: it is a message, and nothing around it. */
export function listener(words: boolean): {
  hear(line: Line, about: Around): void;
  anything(): boolean;
  said(): Explanation | undefined;
  /** `isLog`: lines of CRIU's were beside it. */
  end(about: Around, isLog: boolean): Heard;
} {
  let heard = 0;
  let isAbout = false;
  let said: Explanation | undefined;
  /** The same, where the words are so many that no other program has them. */
  let surely: Explanation | undefined;
  let named: string | undefined;
  /** By the last command that is shown. */
  let meant: string | undefined;
  const asked = questions();
  let speaker: Speaker | undefined;
  /** Of which no entry has the words. */
  const unknown: string[] = [];
  let lead: Lead | undefined;
  let failed = false;
  let complains = false;
  let isTerminal = false;
  /** Of what is said. */
  let most = 0;
  return {
    anything: () => said !== undefined,
    said: () => said,
    hear(line, about) {
      if ((heard += 1) > FOREIGN) return;
      const { text, next } = line;
      named ??= logNamed(text);
      meant = logOfCommand(line.whole) ?? meant;
      asked.note(text.slice(0, LONGEST));
      speaker ??= speakerOf(text.slice(0, LONGEST));
      isAbout ||= speaker !== undefined || isAboutCriu(text.slice(0, LONGEST));
      complains ||= failing.test(text.slice(0, LONGEST));
      isTerminal ||= prompted.test(text);
      failed ||= criuFailed.test(text.slice(0, LONGEST));
      const sentence = joined(text.slice(0, LONGEST).trim(), next).replace(ofLxc, "");
      // A test names what it did not see.
      if (unseen.test(text)) return;
      let isTrailer = false;
      const before = most;
      for (const [reading, place] of readingsOf(line, words, about)) {
        const known = reading === "" ? undefined : explain(reading, place);
        isTrailer ||= known?.by === "runtime" && known.consequence;
        // Of lines of a daemon's log the one counts that it answers with.
        const weight = weightOf(known) + (reply.test(text) ? 0.5 : 0);
        if (known === undefined || weight <= most) continue;
        // Where CRIU has no part, its words are another's.
        if (known.by === "criu" && speaker !== undefined && isWithoutCriu(speaker)) continue;
        most = weight;
        said = known;
        surely = isAbout || words ? known : (explain(reading, { ...place, least: SURE }) ?? surely);
      }
      const broken = brokenIn(line, about);
      if (broken !== undefined && weightOf(broken) > most) {
        most = weightOf(broken);
        said = surely = broken;
      }
      const each = severalIn(text, about);
      if (each.length > 1 && weightOf(each[0]) > before) said = surely = together(text, each);
      const isOpenToLeads = failing.test(sentence) && !isOfBuild(sentence) && !ofTest.test(text);
      const leads = isOpenToLeads ? leadOf(sentence) : undefined;
      // That something failed is no subject.
      const isOpen = !isTrailer || leads?.because !== undefined;
      if (isOpen && worthOf(leads) > worthOf(lead)) lead = leads;
      if (said !== undefined || unknown.length >= UNKNOWN) return;
      const whole = text.trim();
      // The fence of a quotation begins no message.
      const following = next() ?? "";
      // A line of CRIU's own begins anew.
      const further =
        /\w/.test(whole) && parseLogLine(following) === undefined ? [`${whole} ${following}`] : [];
      for (const piece of [...quotedIn(whole), whole, ...further])
        unknown.push(piece.slice(0, SAID));
    },
    end(about, isLog) {
      if (speaker !== undefined && isForeign(speaker)) said = undefined;
      else if (isAbout || isLog || words) said ??= nearestOf(unknown, about);
      else said = surely ?? begunWith(unknown, about);
      if (said === undefined || (said.consequence && said.by !== "criu"))
        said = asked.end() ?? said;
      // CRIU's own consequence is explained itself; of others' the line may say more than that something failed.
      const isOpen =
        said === undefined
          ? isAbout || isLog || words
          : said.consequence && said.by !== "criu" && !ofTest.test(said.line);
      if (speaker !== undefined && isTest(speaker) && raised.test(lead?.line ?? ""))
        lead = undefined;
      // Where a line says why, a log that only a command means is none to be looked for.
      const isWanted = complains && (said === undefined || said.consequence || wantsLog(said));
      const own =
        speaker !== undefined && isWithoutCriu(speaker)
          ? undefined
          : (named ?? (isWanted ? meant : undefined));
      const uneventful = isTerminal && !complains;
      // Beside a message, what somebody could not do is no other one.
      const isTold =
        said !== undefined && lead?.because === undefined && told.test(lead?.line ?? "");
      return {
        said,
        lead: isOpen && !isTold ? lead : undefined,
        speaker,
        named: own,
        failed,
        uneventful,
        isAbout,
      };
    },
  };
}

/** Where in a line the message may begin and end. */
function readingsOf(
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
    [whole.replace(/(?:\\n|[\s"'`)\]}*_>”’»|~.,]){1,16}$/, ""), { loose: true, ...about }],
    // A window that broke a word left blanks in it.
    [withoutGaps(whole), { loose: true, ...about, least: SURE }],
    // Behind somebody's own words.
    [/ Error: (.*)$/s.exec(whole)?.[1] ?? "", about],
    // Within them.
    ...[...quotedIn(whole), whole].map((quoted): [string, Place] => [
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

/** What a line says with those that it goes on in, where none of these says as much by itself. */
function brokenIn(line: Line, about: Around): Explanation | undefined {
  const known = joinedWithNext(line).flatMap(({ whole, rest }) => {
    const one = explain(whole, { loose: true, ...about, least: SURE });
    const without = explain(rest, { loose: true, ...about });
    return one !== undefined && weightOf(one) > weightOf(without) ? one : [];
  });
  return known.toSorted((one, other) => weightOf(other) - weightOf(one))[0];
}

/** With the lines that follow, as long as what is there ends in the middle. */
function joined(whole: string, next: Line["next"]): string {
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
function nearestOf(lines: readonly string[], about: Around): Explanation | undefined {
  const known = lines.flatMap(
    (text) => explain(text, about) ?? endedIn(text, about) ?? explainNear(text, about) ?? [],
  );
  const [best] = known.toSorted((one, other) => weightOf(other) - weightOf(one));
  // Of those that say the same the one with least around it.
  return known
    .filter(({ cause }) => cause === best?.cause)
    .sort((one, other) => one.line.length - other.line.length)[0];
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
function severalIn(text: string, about: Around): Explanation[] {
  const quoted = quotedIn(text).filter((words) => isCrius(words));
  const known = quoted.flatMap((words) => explain(words, about) ?? []).filter(isReason);
  return [...new Map(known.map((each) => [each.cause, each])).values()];
}
const isReason = ({ by, consequence }: Explanation): boolean => by === "criu" && !consequence;

/** The words of each stand in the cause; a remedy is pasted, and nothing of the line is in it that is not quoted for that. */
const together = (line: string, each: readonly Explanation[]): Explanation => ({
  ...each[0]!,
  line: line.trim(),
  cause: each.map((one, at) => `(${at + 1}) "${one.line}": ${one.cause}`).join("; "),
  because: undefined,
  remedy: each.map((one, at) => `of (${at + 1}) ${one.remedy}`).join("; "),
  also: each.slice(1).flatMap(({ check }) => check || []),
  issues: [...new Set(each.flatMap(({ issues }) => issues))],
});

/** A message from its first word on, with a tail of something else: cut from the end until only CRIU has such words. */
function begunWith(lines: readonly string[], about: Around): Explanation | undefined {
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
const quotedIn = (text: string): string[] =>
  Array.from(
    text
      .slice(0, LONGEST)
      .matchAll(/["`“]([^"`“”]{12,400})["`”]|(?<!\w)'((?:[^'\n]|(?<=\w)'(?=\w)){12,400})'(?!\w)/g),
    ([, inner, single]) => (inner ?? single!).replace(/^\*{1,3}|\*{1,3}$/g, ""),
  )
    .filter((inner) => inner.includes(" "))
    .slice(0, QUOTES);
const QUOTES = 4;

/** A test's own verdict: its words and an errno that was left over are of what the test does, and no subject of CRIU's. */
const ofTest =
  /\btest_fail_exc\b|\b(?:FAIL|ERR): [\w-]{1,60}\.c:\d|\bTest zdtm\/\S{1,120} FAIL at /;
/** Of Python, as in which CRIU's tests are run: what they open and lock themselves. */
const raised = /^\s*(?:[a-z_]{1,32}\.){0,4}[A-Z]\w{1,64}(?:Error|Exception|Expired): /;
/** A line that may say what failed. */
const failing =
  /error|fail|cannot|can't|couldn't|could not|unable|denied|refus|invalid|not (?:found|supported|permitted|allowed|exist)|no such|missing|exception|fatal|panic|timed? ?out|unsupported|killed|hang|stuck|crash/i;
const told = /^\W{0,4}(?:I|We)\b/;
const prompted = /^\s*(?:\[?[\w.-]{1,64}@[\w.-]{1,64}[^$#]{0,80}[$#]|[$#]) \S/;
/** A level, and CRIU's output behind it, be that a notice. */
const ofLxc = /^.*\bcriu\.c: ?\w{1,60}: ?\d{1,6} (?:- )?(?:criu output: )?/;
const criuFailed = /\bcriu\b.{0,40}\bfail/i;
const reply = /^\s*(?:Error response from daemon|Error|error|ctr): /;
const unseen = /\bcondition was not found: /;
const wantsLog = ({ remedy }: Explanation): boolean => remedy.includes("recriu explain LOG");
/** What the kernel said counts more than what it is about. */
const worthOf = (lead: Lead | undefined): number =>
  lead === undefined ? 0 : (lead.because === undefined ? 0 : 2) + (lead.about === "" ? 0 : 1);

/** CRIU's own words say more than those of the program that ran it, a reason more than what came of it, and a success the least. */
const weightOf = (said: Explanation | undefined): number =>
  said === undefined
    ? 0
    : (said.by === "criu" ? 2 : 1) +
      (said.consequence ? 0 : 2) -
      (said.quiet ? 0.5 : 0) +
      (decides.test(said.line) ? 1 : 0);
/** A denial by which CRIU's code in a task cannot speak with CRIU: an engine that says only that CRIU failed says less. */
const decides =
  /(?:\bavc: {1,2}denied .{1,200}(?:\/crtools-|path=002F6372746F6F6C73)(?!.{0,400}permissive=1)|\bapparmor="DENIED" .{1,400}\/crtools-)/;
