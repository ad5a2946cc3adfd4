/** Of several entries that fit a line, whose words they are most likely: the source, the errno and what CRIU did decide. */
import { compareVersions } from "../criu/version.ts";
import type { Entry, Mended, Way, Words } from "./entry.ts";
import type { Errno } from "./errno.ts";
import type { Matcher } from "./words.ts";

/** What is known of a line beside its words. */
export interface Place {
  /** `criu/tun.c`, or `tun.c` as old versions say. */
  readonly file?: string | undefined;
  readonly way?: Way | undefined;
  /** The words may stand behind others: nothing says where CRIU's begin. */
  readonly loose?: boolean;
  /** Entries of which the lines around it have what they ask for. */
  readonly beside?: ReadonlySet<Entry> | undefined;
  /** CRIU's version, and the line of its source that says it, as far as the log tells. */
  readonly version?: string | undefined;
  readonly line?: number | undefined;
  /** Letters that an entry has to have fixed. */
  readonly least?: number;
}

/** Words of an entry, as the index keeps them. */
export interface Candidate {
  readonly entry: Entry;
  readonly words: Words;
  /** `unix: `, as the line has it in front; "" for none. */
  readonly prefix: string;
  readonly text: string;
  readonly weight: number;
  matches?: Matcher;
}

/** Words so few that another source may say them of something else. */
export const FEW = 18;

/** A subsystem, or a name that somebody put in front. */
export const prefixes = /^(?:sk )?[a-zA-Z][\w-]*: (?=.)/;

/** `pie/restorer.c`, as old versions say, is criu/pie/restorer.c, and not criu/arch/x86/restorer.c; of `…rer.c` a part is lost. */
export const isSameSource = (one: string, other: string): boolean =>
  one === other ||
  one.endsWith(`/${other}`) ||
  other.endsWith(`/${one}`) ||
  (other.startsWith("…") && one.endsWith(other.slice(1)));

/** As versions and halves of a source have it: `mnt-v2: ` and `mnt: `, `sk unix: ` and `unix: ` are one. */
export const subsystemOf = (message: string): string =>
  (prefixes.exec(message)?.[0] ?? "").replace("-v2", "").replace(/^sk /, "");

/** Whether a line is of the entry's own source: by its name, or by the prefix that only that has. */
export const isOwn = (
  { entry, prefix }: Candidate,
  { file, loose }: Place,
  message: string,
): boolean =>
  file === undefined
    ? prefix !== "" && (loose ? message.includes(prefix) : subsystemOf(message) === prefix)
    : entry.files.some((own) => own === "*" || isSameSource(own, file));

/** Of others' words: a code, a name of their own, or the place in a test of CRIU's. */
const unmistakable =
  /^[A-Z]{3,}\d{3,}|criu|CRaC|^exited \(1\d\d\)|^exit status 1\d\d|^(?:FAIL|ERR): <test>\.c:/i;

/** Whether what an entry wants beside its words was seen. */
export const isThere = ({ entry }: Candidate, place: Place): boolean =>
  (entry.beside === undefined || place.beside?.has(entry) === true) &&
  (entry.mended === undefined || isOfVersion(entry.mended, place));

/** Releases before 2.4 name their sources without the directory: `mount.c`, `pie/restorer.c`. */
const BARE_UP_TO = "2.3";
export const isBare = (file: string | undefined): boolean =>
  file !== undefined && /^(?:pie\/)?[\w-]+\.c$/.test(file);

function isOfVersion({ from, fixed, lines }: Mended, { version, line, file }: Place): boolean {
  if (version === undefined)
    return line !== undefined && lines.size > 0
      ? lines.has(line)
      : isBare(file) && (from === undefined || compareVersions(BARE_UP_TO, from) >= 0);
  return (
    compareVersions(version, fixed) < 0 &&
    (from === undefined || compareVersions(version, from) >= 0)
  );
}

/** Few words are an entry's own only in its source, or where nothing but they was said; one or two not even there. */
export const mayBe = (
  { weight, entry, text }: Candidate,
  { file, loose, least = 0 }: Place,
  own: boolean,
  message: string,
) =>
  (least === 0 || !entry.common) &&
  (weight >= least ||
    own ||
    entry.files.length === 0 ||
    (loose !== true && text.includes("#")) ||
    unmistakable.test(text)) &&
  (weight >= FEW ||
    own ||
    (entry.files.length === 0 && weight > FEW / 2 && unmistakable.test(text)) ||
    (file === undefined && loose !== true && weight > FEW / 2 && subsystemOf(message) === ""));

/** Few words that no source of CRIU's vouches for: a sentence where a name would stand is somebody else's. */
export const isSentence = (
  values: ReadonlyMap<string, string>,
  { weight, entry }: Candidate,
  { file }: Place,
): boolean =>
  file === undefined &&
  entry.files.length > 0 &&
  weight < 2 * FEW &&
  // What the C library says of a failure (`why`) has as many words as it likes.
  values
    .entries()
    .some(([name, value]) => name !== "why" && value.split(" ").length > (weight < FEW ? 1 : 4));

/** Letters that an entry of the line's own source is ahead of others. */
const AHEAD = 8;
/** What stands around a line says more than its letters. */
const BESIDE = 1000;

/** Fixed letters first, the own source counting for some, then errno and way; -1 where errno or way is another. */
export function rankOf(
  { entry, words, weight }: Candidate,
  way: Way | undefined,
  own: boolean,
  errno: Errno | undefined,
): number {
  const { errnos, not } = words;
  const listed = errno !== undefined && errnos.includes(errno.name);
  if (errnos.length > 0 && listed === not) return -1;
  if (entry.way !== undefined && way !== undefined && entry.way !== way) return -1;
  // What others say gives way to CRIU's own words, and what only leads to the words behind it to those.
  const others = entry.files.length === 0;
  // Few that no source vouches for are sooner another's who has more of them.
  const few = !own && weight < FEW;
  const letters = others && entry.trailer ? 0 : others || few ? weight / 1000 : weight;
  return (
    (letters + (own ? AHEAD : 0)) * 4 +
    (errnos.length > 0 ? 2 : 0) +
    (entry.way === (way ?? "restore") ? 1 : 0) +
    (entry.beside === undefined && entry.mended === undefined ? 0 : BESIDE)
  );
}
