/**
 * The tables in `entries/`. At the margin stands what CRIU says, indented what is known of it:
 *
 *     @ criu/tun.c tun:                    the sources, and their prefix, of what follows; `*` is any of CRIU's
 *     > modprobe tun                       the remedy where an entry has none
 *
 *     Can't restore tun's index [EBUSY] => its number       only with that errno; `[!EBUSY]` with any other
 *     Can't attach tunfile to device
 *       <what> could not be set                             `=>` says what <what> is
 *       > ip link show                                      the remedy
 *       check: net-link                                     and also:, fault:, issues:, when:, is:, like:, reported:
 *
 * `if: size >= expected`, `if: 2*size < expected`: two numbers of the line, or one and a given one, say which of several entries it is; `if: program path`:
 * that the path is a program's or a library's goes before these. `beside: PATTERN`: the entry counts only where a line of the log
 * or paste has that, and then before others. `mended: 3.8 to 3.8.1 at 112 118`: it is a fault of CRIU 3.8, and 3.8.1 is the
 * first release without; the entry counts where the log names such a version, or, where it names none, the message comes from
 * one of these lines (`scripts/criu-places.ts` finds them).
 *
 * A paragraph without an indented line stands for itself: CRIU says it well.
 */
import type { Entry, Mended, Way, Words } from "./entry.ts";

const field = /^(check|also|fault|issues|when|like|reported|is|if|beside|mended): (.*)$/;

/** A table's entries. It throws at what it does not understand: tests read them all. */
export function parseTable(text: string): Entry[] {
  const entries: Entry[] = [];
  let files: string[] = [];
  let prefix = "";
  let usual = "";
  for (const paragraph of text.split(/\n\s*\n/)) {
    const rows = paragraph.split("\n").filter((row) => row !== "" && !row.startsWith("//"));
    while (rows[0]?.startsWith("@") || rows[0]?.startsWith("> ")) {
      const row = rows.shift()!;
      if (row.startsWith("> ")) usual = row.slice(2);
      else {
        const words = row.split(" ").slice(1);
        prefix = words.at(-1)?.endsWith(":") ? `${words.pop()} ` : "";
        files = words;
        usual = "";
      }
    }
    if (rows.length > 0) entries.push(entryOf(rows, { files, prefix, usual }));
  }
  return entries;
}

interface Section {
  files: readonly string[];
  prefix: string;
  usual: string;
}

function entryOf(rows: readonly string[], { files, prefix, usual }: Section): Entry {
  const says: Words[] = [];
  const cause: string[] = [];
  const fields = new Map<string, string[]>();
  let remedy: string | undefined;
  for (const row of rows) {
    const known = row.trim();
    const match = field.exec(known);
    if (!row.startsWith(" ")) says.push(wordsOf(row, prefix));
    else if (match !== null) fields.set(match[1]!, [...(fields.get(match[1]!) ?? []), match[2]!]);
    else if (known.startsWith("> "))
      remedy = `${remedy === undefined ? "" : `${remedy} `}${known.slice(2)}`;
    else if (remedy !== undefined) remedy += ` ${known}`;
    else cause.push(known);
  }
  if (says.length === 0) throw new Error(`an entry without CRIU's words: ${rows[0]}`);
  const fault = fields.get("fault")?.[0];
  const is = new Set(fields.get("is")?.[0]?.split(" "));
  return {
    says,
    files,
    guard: guardOf(fields.get("if")?.[0]),
    beside: besideOf(fields.get("beside")?.[0]),
    mended: mendedOf(fields.get("mended")?.[0]),
    check: fields.get("check")?.[0] ?? "",
    also: fields.get("also")?.[0]?.split(" ") ?? [],
    cause: cause.join(" "),
    // A known fault has its own.
    remedy: remedy ?? (fault === undefined ? usual : ""),
    fault,
    way: fields.get("when")?.[0] as Way | undefined,
    plain: cause.length === 0 && !fields.has("check") && !is.has("trailer"),
    trailer: is.has("trailer"),
    warning: is.has("warning"),
    quiet: is.has("quiet"),
    common: is.has("common"),
    issues: fields.get("issues")?.[0]?.split(", ") ?? [],
    like: fields.get("like") ?? [],
    reported: fields.get("reported") ?? [],
  };
}

function wordsOf(row: string, prefix: string): Words {
  const [, text, not, errnos, what] = /^(.*?)(?: \[(!?)(E[A-Z0-9 ]+|NONE)\])?(?: => (.*))?$/.exec(
    row,
  )!;
  return {
    text: prefix + text!,
    errnos: errnos?.split(" ") ?? [],
    not: not === "!",
    what,
  };
}

const besideOf = (pattern: string | undefined): RegExp | undefined =>
  pattern === undefined ? undefined : new RegExp(pattern, "i");

function mendedOf(text: string | undefined): Mended | undefined {
  if (text === undefined) return undefined;
  const [, from, fixed, lines] = /^(?:([\d.]+) to )?([\d.]+)(?: at ([\d ]+))?$/.exec(text)!;
  return { from, fixed: fixed!, lines: new Set(lines?.split(" ").map(Number)) };
}

function guardOf(text: string | undefined): Entry["guard"] {
  if (text === undefined) return undefined;
  const [first = "", sign = "", last = ""] = text.split(" ");
  if (first === "program") return (values) => (program.test(values.get(sign) ?? "") ? 2 : 0);
  return (values) => {
    const [, times = "1", name] = /^(?:(\d)\*)?(.*)$/.exec(first)!;
    const difference = Number(times) * Number(values.get(name!)) - Number(values.get(last) ?? last);
    return (sign === ">=" ? difference >= 0 : difference < 0) ? 1 : 0;
  };
}

const program = /(?:^|\/)(?:s?bin|lib\w*)\/|\.so\b/;
