/** A line of CRIU's log to its cause and its remedy. */
import { catalogue } from "../checks/index.ts";
import { type FaultId, knownFault, type KnownFault, versionsOf } from "../criu/known-faults.ts";
import { knownFaults } from "../criu/known-faults.ts";
import { criuOptions } from "../criu/options.ts";
import { typedWord } from "../sys/shell.ts";
import { type Bug, bugIn } from "./bugs.ts";
import { deviceOf } from "./devices.ts";
import { index, nearIndex } from "./entries/index.ts";
import { type Errno, upToErrno } from "./errno.ts";
import { find, findWhole, type Found } from "./find.ts";
import { fitting } from "./fitting.ts";
import { cutOf } from "./half.ts";
import { nearest, valuesIn } from "./near.ts";
import { inOlderOptions } from "./older-options.ts";
import type { Place } from "./rank.ts";
import { isStale } from "./stale.ts";
import { holesAs, weightOf } from "./words.ts";

export { entries } from "./entries/index.ts";
export type { Entry } from "./entry.ts";
export type { Place } from "./rank.ts";

export interface Explanation {
  line: string;
  /** The words of an entry that are the nearest, where none has the line's; undefined where one has. */
  like: string | undefined;
  /** The speaker: CRIU, or the program that runs it. */
  by: "criu" | "runtime";
  /** It matters although CRIU goes on. */
  warning: boolean;
  /** A warning that tells nothing of what failed. */
  quiet: boolean;
  /** It comes of something else. */
  consequence: boolean;
  /** The check that names it beforehand; "" where none can. */
  check: string;
  also: readonly string[];
  /** "" where CRIU says it well itself. */
  cause: string;
  /** What the kernel means by the errno, where the cause holds for any; undefined without one. */
  because: string | undefined;
  remedy: string;
  /** The CRIU that mended it, or is the first with the remedy's option. */
  since: string | undefined;
  issues: readonly string[];
}

/** What an error message means; undefined when nothing is known of it. */
export function explain(message: string, place: Place = {}): Explanation | undefined {
  const bug = bugIn(message);
  if (bug !== undefined) return explainBug(message, bug, place);
  // What stands behind the errno is somebody's own sentence, where CRIU's is whole without.
  const cut = place.file === undefined ? undefined : upToErrno(message);
  const found =
    (cut === undefined ? undefined : findWhole(index(), cut, place)) ??
    find(index(), message, place);
  const near = (): Explanation | undefined =>
    place.file === undefined ? undefined : explainNear(message, place);
  if (found === undefined) {
    const begun = place.file === undefined ? undefined : explainCut(message, place);
    return explainFault(message) ?? begun ?? near();
  }
  // A line with a source of CRIU's is not of those who run it.
  const isOthers = found.entry.files.length === 0;
  return (isOthers ? near() : undefined) ?? inOlderOptions(explanationOf(message, found), place);
}

/** Of an assertion: what is known of the function that it stands in, else of any. */
function explainBug(line: string, { name, releases }: Bug, place: Place): Explanation | undefined {
  const own = { ...place, file: place.file ?? "*", loose: false };
  const known = find(index(), `BUG in ${name}`, own) ?? find(index(), "BUG", { file: "*" });
  if (known === undefined) return undefined;
  const told = explanationOf(line, known);
  return { ...told, cause: `${told.cause} (${name}() of CRIU ${releases})` };
}

/** What a message means of which people have left only some words; undefined where those are of no entry, or of several. */
export function explainNear(message: string, place: Place = {}): Explanation | undefined {
  const found = nearest(nearIndex(), message, place);
  if (found === undefined) return undefined;
  const { entry, words, text } = found.candidate;
  const values = valuesIn(found.candidate, message);
  const known = explanationOf(message, { entry, words, errno: found.errno, values }, "…");
  return { ...known, like: holesAs(text, "…") };
}

/** What a message means that ends in the middle. */
export function explainCut(message: string, place: Place = {}): Explanation | undefined {
  const found = cutOf(index(), message.trimEnd(), place);
  if (found === undefined) return undefined;
  const known = explanationOf(message, { ...found, errno: undefined });
  return { ...known, like: holesAs(found.candidate.text, "…") };
}

/** Letters that the entry of a message has fixed, where it has all of the message and not only its beginning; else 0. */
export const lettersKnown = (message: string, place: Place): number =>
  weightOf(findWhole(index(), message, place)?.words.text ?? "");

/** Errnos that mean the same of every request: something has run out, is mounted read-only, or fails. */
const resources: ReadonlySet<string> = new Set([
  "EIO",
  "ENFILE",
  "EMFILE",
  "ENOMEM",
  "EDQUOT",
  "EROFS",
]);
/** Entries that speak of rights themselves. */
const rights =
  /\broot\b|CAP_|permission|privilege|AppArmor|SELinux|seccomp|\bown(?:s|ed|er)?\b|(?<!-)\busers?\b|sudo|may not/i;
const LOOK = "look at the lines before it, with -v4";

/** An entry in the words of a line; `missing` stands for a name that the line may have told. */
function explanationOf(
  line: string,
  { entry, words, errno: printed, values, isCut }: Found,
  missing = "",
): Explanation {
  const isOwn = printed === undefined || entry.files.length === 0 || !isStale(line, printed);
  const errno = isOwn ? printed : undefined;
  const { check, also, issues } = entry;
  const fault = entry.fault === undefined ? undefined : knownFault(entry.fault as FaultId);
  // Where somebody left words out, there is no name; a path without its beginning is one.
  const told = new Map(values.entries().filter(([, text]) => !/^(?:\.{3}|…)(?!\/\w)/.test(text)));
  if (errno !== undefined || !told.has("errno")) told.set("errno", errno?.text ?? "");
  const value = (name: string): string | undefined => told.get(name) ?? inOtherBase(name, told);
  if (words.what !== undefined) told.set("what", fill(words.what, value));
  const device = told.get("device");
  if (device !== undefined) told.set("device", deviceOf(device));
  const cause = entry.cause || (catalogue.find(({ id }) => id === check)?.title ?? "");
  const any = (words.errnos.length === 0 || words.not) && !cause.includes("<errno>");
  const listed = errno !== undefined && words.errnos.includes(errno.name) && !words.not;
  const own = fitting(entry.remedy, !words.not && words.errnos.length > 0 ? undefined : errno);
  const usual = own || fault?.remedy || errno?.remedy || LOOK;
  // What is lacking is lacking whatever was asked.
  const lacking = !listed && errno !== undefined && resources.has(errno.name);
  // What is not allowed no larger limit helps.
  const denied =
    any && (errno?.name === "EACCES" || errno?.name === "EPERM") && !rights.test(cause + usual);
  const remedy =
    (lacking || denied) && usual !== errno.remedy ? orElse(errno.remedy!, usual) : usual;
  return {
    line,
    like: isCut === true ? `${holesAs(words.text, "…")}: ${printed!.text}` : undefined,
    by: entry.files.length === 0 ? "runtime" : "criu",
    warning: entry.warning,
    quiet: entry.quiet,
    consequence: entry.trailer,
    check: lacking && words.not ? "" : check || (fault?.check ?? ""),
    also,
    cause:
      fill(cause, value, missing) + (fault === undefined ? "" : ` (CRIU ${versionsOf(fault)})`),
    because:
      (any && !isSaid(errno, cause, entry.trailer, entry.files.length === 0)) || lacking
        ? errno?.means
        : undefined,
    remedy: fillQuoted(remedy, value),
    since: fault?.criu.fixed ?? entry.mended?.fixed ?? optionsSince(remedy),
    issues: [...issues, ...(fault?.sources ?? [])],
  };
}

/**
 * That something is not there needs no second line, and adds nothing to a cause of another kind; that an address is not mapped
 * tells a reader nothing; what only comes of something else is not explained by its errno.
 */
const isSaid = (
  errno: Errno | undefined,
  cause: string,
  trailer: boolean,
  isOthers: boolean,
): boolean =>
  trailer ||
  errno?.name === "EFAULT" ||
  // Go programs have these words as an error of their own, with which the kernel has nothing to do.
  (errno?.name === "EINVAL" && isOthers) ||
  (errno?.name === "ENOENT" && (isOthers || absent.test(cause) || !vague.test(cause)));
const absent =
  /\bnot (?:there|installed|found|loaded|mounted)\b|\bmissing\b|\bno such\b|\bis gone\b|\bdoes not find\b|\bthere is no\b/;
/** Only that it failed. */
const vague = /\bcould not\b|\bcannot\b|\bfailed\b|\bnothing is known\b/;

/** Two remedies, and what both say once. */
function orElse(first: string, other: string): string {
  const said = new Set(first.split("; "));
  const rest = other.split("; ").filter((part) => !said.has(part));
  return rest.length === 0 ? first : `${first}; else ${rest.join("; ")}`;
}

function explainFault(line: string): Explanation | undefined {
  const faults: readonly KnownFault[] = knownFaults;
  const fault = faults.find(({ says }) => says?.test(line));
  return (
    fault && {
      line,
      like: undefined,
      by: "criu",
      warning: false,
      quiet: false,
      consequence: false,
      check: fault.check,
      also: [],
      cause: `CRIU ${versionsOf(fault)}: ${fault.what}`,
      because: undefined,
      remedy: fault.remedy,
      since: fault.criu.fixed,
      issues: fault.sources,
    }
  );
}

/** The first CRIU that knows every option of a remedy; undefined where those are as old as 3.17. */
function optionsSince(remedy: string): string | undefined {
  const named = new Set(Array.from(remedy.matchAll(/--([a-z][a-z-]+)/g), ([, name]) => name));
  const option = criuOptions.find(({ name, since }) => since !== undefined && named.has(name));
  return option && `${option.since} has --${option.name}`;
}

/** A number of the line as a command or an option wants it: `<mount_hex>` of one in tens, `<inode_dec>` of one in sixteens. */
function inOtherBase(name: string, told: ReadonlyMap<string, string>): string | undefined {
  const [, of = "", base] = /^(\w+)_(hex|dec)$/.exec(name) ?? [];
  const number = told.get(of)?.replace(/^0x/, "") ?? "";
  if (base === "hex" && /^\d{1,15}$/.test(number)) return Number(number).toString(16);
  return base === "dec" && /^[0-9a-f]{1,16}$/i.test(number)
    ? BigInt(`0x${number}`).toString()
    : undefined;
}

type Value = (name: string) => string | undefined;

/** `<name>` in a text to what the line said; where it named none, what stands in brackets or behind a colon falls away. */
const fill = (text: string, value: Value, missing = ""): string =>
  text
    .replace(/ \(<(\w+)>\)|:(?: <(\w+)>)+$|, <(\w+)>,|,? <(\w+)>(?=,)/g, (piece) =>
      [...piece.matchAll(/<(\w+)>/g)].some(([, name]) => value(name!)) ? piece : "",
    )
    .replace(/<(\w+)>/g, (_, name: string) => value(name) ?? missing)
    .replace(/(?<=\w) {2,}/g, " ")
    // Its beginning was left out, and no `/` stands there.
    .replace(/(^|[\s(])\/(?=(?:\.{3}|…)\/\w)/g, "$1")
    // CRIU leaves the first `/` out, people put it in.
    .replace(/(^|[\s(])\/\/(?=\w)/g, "$1/");

/** A path of which a part was left out is none to be pasted. */
const shortened = /(?:^|\/)(?:\.{3}|…|\[(?:\.{3}|…)\])(?:\/|$)/;
/** A remedy is pasted by people, so the word that it stands in is quoted with it: `mnt[<path>]:KEY` as a whole. */
const fillQuoted = (text: string, value: Value): string =>
  text.replace(
    /([^\s"(]*)<(\w+)>((?:\]|[:/][\w/-]+)*)/g,
    (_, before: string, name: string, after: string) => {
      const found = value(name);
      if (found === undefined || shortened.test(found)) return before + name.toUpperCase() + after;
      const word = before + found + after;
      return (
        typedWord(before === "" && word.startsWith("-") ? `./${word}` : word) ??
        before + name.toUpperCase() + after
      );
    },
  );
