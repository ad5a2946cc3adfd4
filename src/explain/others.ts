/**
 * What others than CRIU say, line by line: a runtime, an engine, a person who quotes a message. The reading of it that says
 * most; and who speaks, and where CRIU's own log is, where that is said.
 */
import { parseLogLine } from "../criu/log.ts";
import { questions } from "./asked.ts";
import { type Explanation, explain } from "./index.ts";
import { type Lead, leadOf } from "./lead.ts";
import type { Line } from "./lines.ts";
import {
  type Around,
  begunWith,
  brokenIn,
  cutIn,
  joined,
  LONGEST,
  nearestOf,
  quotedIn,
  readingsOf,
  severalIn,
  SURE,
  together,
  weightOf,
} from "./readings.ts";
import { logNamed, logOfCommand } from "./runtimes.ts";
import {
  isAboutCriu,
  isAnyJvm,
  isForeign,
  isOfBuild,
  isTest,
  isWithoutCriu,
  type Speaker,
  speakerOf,
} from "./speakers.ts";

interface Heard {
  said: Explanation | undefined;
  /** What somebody asks in own words, beside a check. */
  asked: Explanation | undefined;
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
/** Texts that no entry has, and letters of one. */
const UNKNOWN = 100;
const SAID = 400;

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
  /** What is said, and the same once all lines were seen: what decides may stand behind it. */
  let anew: [Explanation, () => Explanation | undefined] | undefined;
  let surelyAnew: (() => Explanation | undefined) | undefined;
  let named: string | undefined;
  /** By the last command that is shown. */
  let meant: string | undefined;
  const asked = questions();
  let speaker: Speaker | undefined;
  /** What a paste ends with may be cut there. */
  let last = "";
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
      if (/\w/.test(text)) last = text.slice(0, LONGEST);
      named ??=
        logNamed(text) ?? (isPathNext.test(text) ? logNamed(joined(text, next)) : undefined);
      meant = logOfCommand(line.whole) ?? meant;
      asked.note(text.slice(0, LONGEST));
      if (speaker === undefined || isAnyJvm(speaker))
        speaker = speakerOf(text.slice(0, LONGEST), speaker);
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
        anew = [known, () => explain(reading, place)];
        const again = () => explain(reading, { ...place, least: SURE });
        surely = isAbout || words ? known : (again() ?? surely);
        surelyAnew = surely === known ? surelyAnew : again;
      }
      const broken = brokenIn(line, about);
      if (broken !== undefined && weightOf(broken) > most) {
        most = weightOf(broken);
        said = surely = broken;
      }
      const each = severalIn(text, about);
      if (each.length > 1 && weightOf(each[0]) > before) said = surely = together(text, each);
      const isOpenToLeads =
        failing.test(sentence) &&
        !quotesNext.test(sentence) &&
        !isOfBuild(sentence) &&
        !ofTest.test(text);
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
      const [first, later] = anew ?? [];
      if (said !== undefined && said === first) {
        const isSure = surely === said;
        said = later!() ?? said;
        surely = isSure ? said : (surelyAnew?.() ?? surely);
      }
      if (speaker !== undefined && isForeign(speaker)) said = undefined;
      else if (isAbout || isLog || words) said ??= nearestOf(unknown, about) ?? cutIn(last, about);
      else said = surely ?? begunWith(unknown, about);
      const question = asked.end(false);
      if (said === undefined || (said.consequence && said.by !== "criu")) said = question ?? said;
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
        asked: question ?? asked.end(true),
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

/** Somebody's sentence that leads to what stands behind it. */
const quotesNext = /:\s{0,4}[`'"~]{2,4}(?:\w{1,12})?\s*$/;

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
/** Also of those who ran it, in words of their own: Liberty, LXC, runtimes, JVMs. */
const criuFailed =
  /\bcriu\b.{0,40}\bfail|\bCWWKE09(?:57|6[0124])[IE]: |\b(?:Checkpointing|Restoring) [\w.-]{1,64} failed\b|\bOCI runtime (?:checkpoint|restore) failed\b|\bNative (?:checkpoint|restore) failed\b|\bCould not dump the JVM processes\b/i;
const reply = /^\s*(?:Error response from daemon|Error|error|ctr): /;
const isPathNext = /\blog ?file:\s{0,8}$/;
const unseen = /\bcondition was not found: /;
const wantsLog = ({ remedy }: Explanation): boolean =>
  /recriu explain (?:LOG|DIR\/\w+\.log)/.test(remedy);
/** What the kernel said counts more than what it is about. */
const worthOf = (lead: Lead | undefined): number =>
  lead === undefined ? 0 : (lead.because === undefined ? 0 : 2) + (lead.about === "" ? 0 : 1);
