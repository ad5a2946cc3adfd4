/**
 * A command line taken apart as glibc's getopt_long(3) does it for CRIU (criu/config.c): long names by exact name or
 * unique beginning, values after `=` or in the next word, clusters of short options, options after operands, `--`,
 * POSIXLY_CORRECT.
 *
 * recriu's own options stand among CRIU's. They count only by their exact names, so that every abbreviation means what
 * it means to CRIU; no own name is the beginning of one of CRIU's (a test holds that).
 */
import type { CriuOption, RecriuOption } from "./option.ts";
import { byShort, type LongName, longNames } from "./option-names.ts";

export interface ParsedOption {
  /** The full name, without `no-`. */
  readonly name: string;
  readonly value: string | undefined;
  /** `--no-NAME` was given. */
  readonly negated: boolean;
  /** The words it was given by. Members of a cluster (`-dj`) share one. */
  readonly argv: readonly string[];
}

type ParsedWords =
  | {
      readonly ok: true;
      /** CRIU's options in the order given. */
      readonly options: readonly ParsedOption[];
      /** The own ones among them. */
      readonly recriuOptions: readonly ParsedOption[];
      /** Words that are no options, those after `--` included. */
      readonly operands: readonly string[];
      /** Where the first operand stands among the words; undefined without operands. */
      readonly operandAt: number | undefined;
      /** The operands that stood after `--`; undefined without it. */
      readonly rest: readonly string[] | undefined;
      /** All words but the own options'. */
      readonly argv: readonly string[];
      /** The words of `argv` that are options. */
      readonly optionWords: readonly string[];
    }
  /** getopt's own message, without the name of the program. */
  | { readonly ok: false; readonly problem: string };

interface ParseSettings {
  readonly recriu?: readonly RecriuOption[];
  /** What a long name is that the table of options has not: one of the CRIU that is there. */
  readonly beyond?: (typed: string) => CriuOption | undefined;
  /** POSIXLY_CORRECT is in the environment: the first operand ends the options. */
  readonly posixlyCorrect?: boolean;
}

/** Parse the words of a command line, the program's name not among them. */
export function parseWords(words: readonly string[], settings: ParseSettings = {}): ParsedWords {
  const { recriu = [], posixlyCorrect = false, beyond } = settings;
  const options: ParsedOption[] = [];
  const recriuOptions: ParsedOption[] = [];
  const operands: string[] = [];
  const argv: string[] = [];
  const optionWords: string[] = [];
  let rest: readonly string[] | undefined;
  let operandAt: number | undefined;

  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    const isOperand = word === "-" || !word.startsWith("-");
    if (word === "--" || (isOperand && posixlyCorrect)) {
      if (word === "--") rest = words.slice(at + 1);
      const left = rest ?? words.slice(at);
      if (left.length > 0) operandAt ??= words.length - left.length;
      operands.push(...left);
      argv.push(...words.slice(at));
      break;
    }
    if (isOperand) {
      operandAt ??= at;
      operands.push(word);
      argv.push(word);
      at += 1;
      continue;
    }
    const found = word.startsWith("--")
      ? parseLong(word, words[at + 1], recriu, beyond)
      : parseCluster(word, words[at + 1], recriu);
    if (typeof found === "string") return { ok: false, problem: found };
    if (found.isRecriu) {
      recriuOptions.push(...found.options);
    } else {
      options.push(...found.options);
      argv.push(...found.argv);
      optionWords.push(...found.argv);
    }
    at += found.argv.length;
  }
  return { ok: true, options, recriuOptions, operands, operandAt, rest, argv, optionWords };
}

/**
 * The command in the words after `criu` (which may stand anywhere among the options), and the words without it;
 * undefined when there is none or the words cannot be parsed.
 */
export function commandOf(
  words: readonly string[],
  settings: ParseSettings = {},
): { readonly command: string; readonly words: readonly string[] } | undefined {
  const parsed = parseWords(words, settings);
  if (!parsed.ok || parsed.operandAt === undefined) return undefined;
  const { operandAt } = parsed;
  return { command: words[operandAt]!, words: words.toSpliced(operandAt, 1) };
}

/** Options that one word, or two, gave; or getopt's message. */
type Found = {
  readonly options: ParsedOption[];
  readonly argv: string[];
  readonly isRecriu: boolean;
};

function parseLong(
  word: string,
  next: string | undefined,
  recriu: readonly RecriuOption[],
  beyond: ParseSettings["beyond"],
): Found | string {
  const equals = word.indexOf("=");
  const typed = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const recriuOption = recriu.find((option) => option.name === typed);
  let name = recriuOption === undefined ? longName(typed) : undefined;
  const later = name === "" ? beyond?.(typed) : undefined;
  if (later !== undefined)
    name = { long: later.name, option: later, negated: typed === `no-${later.name}` };
  if (typeof name === "string") return name === "" ? `unrecognized option '--${typed}'` : name;

  const long = name?.long ?? typed;
  const { arg } = recriuOption ?? name!.option;
  let value = equals < 0 ? undefined : word.slice(equals + 1);
  const argv = [word];
  if (arg === "none" && value !== undefined) return `option '--${long}' doesn't allow an argument`;
  if (arg === "required" && value === undefined) {
    if (next === undefined) return `option '--${long}' requires an argument`;
    value = next;
    argv.push(next);
  }
  const option: ParsedOption = {
    name: name?.option.name ?? typed,
    value,
    negated: name?.negated ?? false,
    argv,
  };
  return { options: [option], argv, isRecriu: recriuOption !== undefined };
}

/** The long name that `typed` is or begins; "" for none, a message when it begins several. */
function longName(typed: string): LongName | string {
  const candidates = longNames().filter(({ long }) => long.startsWith(typed));
  const exact = candidates.find(({ long }) => long === typed);
  if (exact !== undefined) return exact;
  // What was short for one option stays that, though a later CRIU has more that begin so; that one refuses it itself.
  const old = candidates.filter(({ option }) => option.since === undefined);
  if (old.length === 1) return old[0]!;
  if (candidates.length > 1) {
    const possibilities = candidates.map(({ long }) => `'--${long}'`).join(" ");
    return `option '--${typed}' is ambiguous; possibilities: ${possibilities}`;
  }
  return candidates[0] ?? "";
}

function parseCluster(
  word: string,
  next: string | undefined,
  recriu: readonly RecriuOption[],
): Found | string {
  const argv = [word];
  const options: ParsedOption[] = [];
  const add = (option: CriuOption | RecriuOption, value: string | undefined) =>
    options.push({ name: option.name, value, negated: false, argv });

  const own = recriu.find(({ short }) => short !== undefined && short === word[1]);
  if (own !== undefined) {
    const value = word.slice(2);
    if (own.arg === "none" && value !== "")
      return `option '-${own.short}' doesn't allow an argument`;
    add(own, value === "" ? undefined : value);
    return { options, argv, isRecriu: true };
  }
  for (let i = 1; i < word.length; i += 1) {
    const option = byShort(word[i]!);
    if (option === undefined) return `invalid option -- '${word[i]}'`;
    if (option.arg === "none") {
      add(option, undefined);
      continue;
    }
    const attached = word.slice(i + 1);
    if (attached !== "" || option.arg === "optional") {
      add(option, attached === "" ? undefined : attached);
      break;
    }
    if (next === undefined) return `option requires an argument -- '${word[i]}'`;
    argv.push(next);
    add(option, next);
  }
  return { options, argv, isRecriu: false };
}
