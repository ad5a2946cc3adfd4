/** What CRIU does in each of its sources, and where to look when it fails there: of messages that no entry has. Data is in subjects.txt. */
import { prefixes } from "./rank.ts";
import table from "./subjects.txt" with { type: "text" };

export interface Subject {
  /** The ends of paths of CRIU's sources; with `/` at the end a directory's. */
  readonly sources: readonly string[];
  /** `unix: ` */
  readonly prefixes: readonly string[];
  /** By which people mean it. */
  readonly words: readonly string[];
  readonly about: string;
  /** Commands and options, as a sentence. */
  readonly look: string;
  /** Checks of what it needs. */
  readonly checks: readonly string[];
}

let parsed: readonly Subject[] | undefined;
export const subjects = (): readonly Subject[] =>
  (parsed ??= table
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.includes("@ "))
    .map(subjectOf));

function subjectOf(paragraph: string): Subject {
  const rows = paragraph.split("\n");
  const behind = (sign: string) =>
    rows.find((row) => row.startsWith(sign))?.slice(sign.length) ?? "";
  const names = behind("@ ").split(" ");
  return {
    sources: names.filter((name) => !name.endsWith(":")),
    prefixes: names.filter((name) => name.endsWith(":")).map((name) => `${name} `),
    words: behind("= ").split(" | ").filter(Boolean),
    about: rows.find((row) => /^[^@=>/]/.test(row) && !row.startsWith("checks: "))!,
    look: behind("> "),
    checks: behind("checks: ").split(" ").filter(Boolean),
  };
}

/** By the source of a line, in whatever length versions write it; the fullest name counts. */
export function subjectOfSource(file: string): Subject | undefined {
  let best: Subject | undefined;
  let most = 0;
  for (const subject of subjects())
    for (const source of subject.sources) {
      const isIt = source.endsWith("/")
        ? `/${file}`.includes(`/${source.replace(/^criu\//, "")}`)
        : source === file ||
          source.endsWith(file.startsWith("…") ? file.slice(1) : `/${file}`) ||
          file.endsWith(`/${source}`);
      if (!isIt || source.length <= most) continue;
      most = source.length;
      best = subject;
    }
  return best;
}

/** By the prefix that CRIU puts in front, or by words; the longest of them counts. */
export function subjectOfWords(message: string): Subject | undefined {
  const prefix = prefixes.exec(message)?.[0].replace(/^sk /, "");
  const own = subjects().find((subject) => subject.prefixes.includes(prefix ?? ""));
  if (own !== undefined) return own;
  const small = ` ${message.toLowerCase()} `;
  let best: Subject | undefined;
  let most = 0;
  for (const subject of subjects())
    for (const word of subject.words)
      if (word.length > most && hasWord(small, word.toLowerCase())) {
        most = word.length;
        best = subject;
      }
  return best;
}

const letter = /[a-z0-9_-]/;
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const opens = !letter.test(word[0]!) || !letter.test(text[at - 1]!);
    if (opens && (!letter.test(word.at(-1)!) || !letter.test(text[end]!))) return true;
  }
  return false;
}
