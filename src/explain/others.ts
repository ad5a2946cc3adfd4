/**
 * What others than CRIU say, line by line: a runtime, an engine, a person who quotes a message. The reading of it that says
 * most; and who speaks, and where CRIU's own log is, where that is said.
 */
import { type Explanation, explain, explainNear, lettersKnown } from "./index.ts";
import { type Lead, leadOf } from "./lead.ts";
import type { Line } from "./lines.ts";
import type { Place } from "./rank.ts";
import { logNamed } from "./runtimes.ts";
import { isAboutCriu, isForeign, isOfBuild, type Speaker, speakerOf } from "./speakers.ts";

type Way = Place["way"];

interface Heard {
  said: Explanation | undefined;
  /** Where nothing says why: where to look. */
  lead: Lead | undefined;
  speaker: Speaker | undefined;
  named: string | undefined;
  /** A line says that CRIU failed. */
  failed: boolean;
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
  hear(line: Line, way: Way): void;
  anything(): boolean;
  /** `isLog`: lines of CRIU's were beside it. */
  end(way: Way, isLog: boolean): Heard;
} {
  let heard = 0;
  let isAbout = false;
  let said: Explanation | undefined;
  /** The same, where the words are so many that no other program has them. */
  let surely: Explanation | undefined;
  let named: string | undefined;
  let speaker: Speaker | undefined;
  /** Of which no entry has the words. */
  const unknown: string[] = [];
  let lead: Lead | undefined;
  let failed = false;
  /** Of what is said. */
  let most = 0;
  return {
    anything: () => said !== undefined,
    hear(line, way) {
      if ((heard += 1) > FOREIGN) return;
      const { text, next } = line;
      named ??= logNamed(text);
      speaker ??= speakerOf(text.slice(0, LONGEST));
      isAbout ||= speaker !== undefined || isAboutCriu(text.slice(0, LONGEST));
      failed ||= criuFailed.test(text.slice(0, LONGEST));
      const sentence = joined(text.slice(0, LONGEST).trim(), next).replace(ofLxc, "");
      // A test names what it did not see.
      if (unseen.test(text)) return;
      let isTrailer = false;
      for (const [reading, place] of readingsOf(line, words, way)) {
        const known = reading === "" ? undefined : explain(reading, place);
        isTrailer ||= known?.by === "runtime" && known.consequence;
        // Of lines of a daemon's log the one counts that it answers with.
        const weight = weightOf(known) + (reply.test(text) ? 0.5 : 0);
        if (known === undefined || weight <= most) continue;
        most = weight;
        said = known;
        surely = isAbout || words ? known : (explain(reading, { ...place, least: SURE }) ?? surely);
      }
      const leads = failing.test(sentence) && !isOfBuild(sentence) ? leadOf(sentence) : undefined;
      // That something failed is no subject.
      const isOpen = !isTrailer || leads?.because !== undefined;
      if (isOpen && worthOf(leads) > worthOf(lead)) lead = leads;
      if (said !== undefined || unknown.length >= UNKNOWN) return;
      const whole = text.trim();
      for (const piece of [...quotedIn(whole), whole, `${whole} ${next() ?? ""}`])
        unknown.push(piece.slice(0, SAID));
    },
    end(way, isLog) {
      if (speaker !== undefined && isForeign(speaker)) said = undefined;
      else if (isAbout || isLog || words) said ??= nearestOf(unknown, way);
      else said = surely;
      const isOpen = said === undefined ? isAbout || isLog || words : said.consequence;
      return { said, lead: isOpen ? lead : undefined, speaker, named, failed, isAbout };
    },
  };
}

/** Where in a line the message may begin and end. */
function readingsOf({ text, next }: Line, words: boolean, way: Way): [string, Place][] {
  // containerd ends what it passes on with the kind of the error.
  const whole = text.trim().replace(/: unknown["'`]?$/, "");
  const [, program, error, rest = ""] = /^((?!error|fatal)\w+: )?((?:error|fatal): )?(.*)$/is.exec(
    whole,
  )!;
  // A program that calls it an error marks where the message begins.
  const begins = words || error !== undefined;
  // Few words of another program are its own, though CRIU has the same; CRIU writes a large E.
  const isOthers = program === undefined ? error !== "Error: " : !program.startsWith("criu");
  return [
    [begins ? rest : "", { loose: !words && isOthers, way }],
    // Quoted, in brackets, or in bold.
    [whole.replace(/(?:\\n|[\s"'`)\]}*>]){1,16}$/, ""), { loose: true, way }],
    // Behind somebody's own words.
    [/ Error: (.*)$/s.exec(whole)?.[1] ?? "", { way }],
    // Within them.
    ...[...quotedIn(whole), whole].map((quoted): [string, Place] => [
      quoted,
      isCrius(quoted) ? { way } : { loose: true, way },
    ]),
    // A mail or a terminal broke it.
    [whole.endsWith(":") ? joined(whole, next) : "", { loose: true, way }],
  ];
}

/** With the lines that follow, as long as what is there ends in the middle. */
function joined(whole: string, next: Line["next"]): string {
  let text = whole;
  for (let count = 1; count <= BROKEN && text.endsWith(":"); count += 1)
    text += ` ${(next(count) ?? "").trim()}`;
  return text;
}
const BROKEN = 3;

/** Of others' lines the one that is nearest to words that are known. */
const nearestOf = (lines: readonly string[], way: Way): Explanation | undefined =>
  lines
    .flatMap(
      (text) => explain(text, { way }) ?? endedIn(text, way) ?? explainNear(text, { way }) ?? [],
    )
    .sort((one, other) => weightOf(other) - weightOf(one))[0];

/** A message that somebody's own sentence goes on behind. */
function endedIn(text: string, way: Way): Explanation | undefined {
  for (const { index } of Array.from(text.matchAll(goesOnWith)).slice(0, ENDS)) {
    const known = explain(text.slice(0, index), { loose: true, way });
    if (known !== undefined) return known;
  }
  return undefined;
}
const ENDS = 6;
const goesOnWith =
  /(?:[.,;)]|`| [-–—])? (?:when|while|if|after|before|but|and|so|because|which|how|what|why|on|in|at|I)\b/g;

/** Words that only CRIU has so: by its own prefix, or all of a message and nothing else. */
const isCrius = (text: string): boolean => ownPrefix.test(text) || lettersKnown(text, {}) > 0;
const ownPrefix =
  /^(?:sk )?(?:inet|unix|mnt(?:-v2)?|tty|cg|cg-prop|fsnotify|uffd|page-xfer|vdso|fdinfo|irmap|soccr|mqueue|seccomp|pidfd|timerfd|tcp): (?=[A-Z])/;

/** What stands in quotes, the first of it. */
const quotedIn = (text: string): string[] =>
  Array.from(
    text
      .slice(0, LONGEST)
      .matchAll(/["`“]([^"`“”]{12,400})["`”]|(?<!\w)'((?:[^'\n]|(?<=\w)'(?=\w)){12,400})'(?!\w)/g),
    ([, inner, single]) => inner ?? single!,
  )
    .filter((inner) => inner.includes(" "))
    .slice(0, QUOTES);
const QUOTES = 4;

/** A line that may say what failed. */
const failing =
  /error|fail|cannot|can't|couldn't|could not|unable|denied|refus|invalid|not (?:found|supported|permitted|allowed|exist)|no such|missing|exception|fatal|panic|timed? ?out|unsupported|killed|hang|stuck|crash/i;
/** A level, and CRIU's output behind it, be that a notice. */
const ofLxc = /^.*\bcriu\.c:\w{1,60}:\d{1,6} - (?:criu output: )?/;
const criuFailed = /\bcriu\b.{0,40}\bfail/i;
const reply = /^\s*(?:Error response from daemon|Error|error|ctr): /;
const unseen = /\bcondition was not found: /;
/** What the kernel said counts more than what it is about. */
const worthOf = (lead: Lead | undefined): number =>
  lead === undefined ? 0 : (lead.because === undefined ? 0 : 2) + (lead.about === "" ? 0 : 1);

/** CRIU's own words say more than those of the program that ran it, and a reason more than what came of it. */
const weightOf = (said: Explanation | undefined): number =>
  said === undefined ? 0 : (said.by === "criu" ? 2 : 1) + (said.consequence ? 0 : 2);
