/** Commands and options as man pages and completions want them, and what can stand for an argument. */
import { catalogue } from "../../checks/index.ts";
import { cgroupModes } from "../../criu/values.ts";

export interface OptionWords {
  readonly name: string;
  readonly short?: string;
  /** What its argument is: `DIR`, `safe|none`, `ID,…`. */
  readonly value?: string;
  /** The argument may be left out, and is only taken after `=`. */
  readonly optional: boolean;
  readonly negatable: boolean;
  readonly help: string;
}

export interface CommandWords {
  readonly name: string;
  /** Half a sentence. */
  readonly summary: string;
  readonly description: string;
  readonly operands: readonly {
    readonly name: string;
    readonly value?: string;
    readonly help: string;
  }[];
  readonly options: readonly OptionWords[];
  /** CRIU's own options, where the command takes them. */
  readonly criu: readonly OptionWords[];
}

/** `list`: some of the words, with commas between; `any`: what no list has. */
interface Argument {
  readonly kind: "none" | "any" | "files" | "directories" | "words" | "list";
  readonly words: readonly string[];
}

const of = (kind: Argument["kind"], words: readonly string[] = []): Argument => ({ kind, words });

const ids = catalogue.map(({ id }) => id);

/** Options whose help alone has their words. */
const known: Readonly<Record<string, Argument>> = {
  only: of("list", ids),
  ignore: of("list", [...ids, "all"]),
  "manage-cgroups": of("words", cgroupModes),
  "cpu-cap": of("list", ["cpu", "fpu", "all", "ins", "none"]),
  "image-io-mode": of("words", ["writeback", "direct"]),
  verbosity: of("words", ["0", "1", "2", "3", "4"]),
};

export function argumentOf({ name, value }: Pick<OptionWords, "name" | "value">): Argument {
  if (value === undefined) return of("none");
  if (Object.hasOwn(known, name)) return known[name]!;
  if (value === "DIR") return of("directories");
  if (/^(FILE|PATH|COMMAND)$/.test(value)) return of("files");
  const words = value.replace(/,…$/, "").split(/[|,]/);
  if (!words.every((word) => /^[a-z]+$/.test(word))) return of("any");
  return of(value.includes(",") ? "list" : "words", words);
}

/** What may be a command's operand: words that are listed, and files where those may be, too. */
export function operandOf({ name, operands }: CommandWords): {
  readonly words: readonly string[];
  readonly isFile: boolean;
} {
  if (name === "explain") return { words: ids, isFile: true };
  const { words } = argumentOf({
    name: "",
    ...(operands[0]?.value && { value: operands[0].value }),
  });
  return { words, isFile: operands.length > 0 && words.length === 0 };
}

const help: OptionWords = {
  name: "help",
  optional: false,
  negatable: false,
  help: "show the options",
};
export const optionsOf = ({ options, criu }: CommandWords): OptionWords[] => [
  ...options,
  ...criu,
  help,
];

/** Words in the place of a command that are none of the commands. */
export const others = ["help", "version"] as const;

/** Quoted for a POSIX shell. */
export const single = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
