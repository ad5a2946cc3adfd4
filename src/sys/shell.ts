/**
 * Commands that a person or his script pastes into a shell, as root and most often with a name from an image in them.
 * Whatever the name is, it stays one word: POSIX sh(1), Shell Command Language, 2.2 Quoting; tried in dash and bash.
 */
import { cString } from "./text.ts";

declare const quoted: unique symbol;

/**
 * Text for a shell to run, or words for the end of a command line, in which all that came from elsewhere is quoted. It
 * has no control characters: what a person sees of it, and copies, is all of it. Only this file makes one.
 */
export type ShellCommand = string & { readonly [quoted]: true };

/** What is shown instead of being sent to a terminal: it could steer that, be seen as something else or as nothing. */
export const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]/gu;

/** What cannot be copied from a terminal as it is. Where words stand in double quotes, `!` is a shell's history. */
const untypable = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}!]/u;
const bare = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/;

/** Stands for what was put in, a text or number as one word of it, a list as a word for each. */
type Part = string | number | bigint | readonly string[];

/**
 * A command: what stands in the template is the shell's, each value is quoted, so it must not stand in quotes.
 * A value at the beginning of a word is a path, and not taken for an option: where it is something else and may begin
 * with `-`, the template says `--` before. The words of a list may be options.
 */
export function sh(texts: TemplateStringsArray, ...parts: readonly Part[]): ShellCommand {
  const variables: string[] = [];
  let command = texts[0]!;
  let options = true;
  for (const [index, part] of parts.entries()) {
    const before = texts[index]!;
    options &&= !before.includes(" -- ");
    const begins = options && /(?:^|[\s<>])$/.test(index === 0 ? before : `.${before}`);
    const words = typeof part === "object" ? part : [begins ? asPath(`${part}`) : `${part}`];
    command += words.map((word) => quote(word, variables)).join(" ") + texts[index + 1]!;
  }
  return [...variables, command].join(" && ") as ShellCommand;
}

const asPath = (text: string): string => (text.startsWith("-") ? `./${text}` : text);

/** One command and, where it succeeds, the other. */
export const andThen = (one: ShellCommand, other: ShellCommand): ShellCommand =>
  `${one} && ${other}` as ShellCommand;

/** `text` as one word for the middle of other text; null where no shell can be given it in place. */
export function typedWord(text: string): ShellCommand | null {
  const variables: string[] = [];
  const word = quote(text, variables);
  return variables.length > 0 ? null : (word as ShellCommand);
}

/** An option as it is typed, `--name=VALUE` or `--name VALUE`, and what of the shell's own is `behind` it; null as for a word. */
export function typedOption(option: string, behind: "" | " 9</dev/null" = ""): ShellCommand | null {
  const [, name = "", value] = /^(--[a-z-]+[= ])?(.*)$/s.exec(option)!;
  const word = typedWord(value!);
  return word && (`${name}${word}${behind}` as ShellCommand);
}

/**
 * `word` as one word. It ends where C ends it. What cannot be typed is printed by printf(1), whose newlines at the end are
 * lost where its output becomes a word: then it goes through one of `variables`, which are to be set before.
 */
function quote(word: string, variables: string[]): string {
  const end = word.indexOf("\0");
  const text = end < 0 ? word : word.slice(0, end);
  if (bare.test(text)) return text;
  if (!untypable.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  if (!text.endsWith("\n")) return `"$(printf '${escaped(text)}')"`;
  const variable = `name${variables.length + 1}`;
  variables.push(`${variable}=$(printf '${escaped(text)}.')`);
  return `"\${${variable}%.}"`;
}

/** A format of printf(1) that prints `text`: what could mean something to it or to a shell is octal. */
const escaped = (text: string): string =>
  [...text]
    .map((char, at) => (plain.test(char) && (char !== "-" || at > 0) ? char : octal(char)))
    .join("");

const plain = /[\w@+=:,./ -]|[^\0-\x7f\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const octal = (char: string): string =>
  [...cString(char).subarray(0, -1)]
    .map((byte) => `\\${byte.toString(8).padStart(3, "0")}`)
    .join("");
