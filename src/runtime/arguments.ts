/** The command line of an OCI runtime, as far as a restore needs it (runc(8), runc-restore(8), crun(1)). */
import { criuOptions } from "../criu/options.ts";

export interface RuntimeCommand {
  /** `restore`, `run`, …; undefined where there is none (`--version`). */
  command: string | undefined;
  /** Where the command's options end among the words. */
  end: number;
  /** Options before it and after it, without dashes; those that take no value are "". The last of a name counts. */
  global: ReadonlyMap<string, string>;
  options: ReadonlyMap<string, string>;
  /** Which of the words is an option of that name; one that takes the next word as its value is not among them. */
  places(name: string): number[];
  /** The container's name. */
  container: string | undefined;
}

/** Options of runc and crun that take the next word as their value. */
const valued: ReadonlySet<string> = new Set([
  ..."root log log-format log-level criu rootless cgroup-manager".split(" "),
  ..."console-socket bundle b pid-file preserve-fds".split(" "),
  ...criuOptions.flatMap(({ runtime }) => (typeof runtime === "object" ? runtime.valued : [])),
]);
/** crun's --rootless takes a value with `=` only; the next word is then the command. */
const crunOnlyWithEquals = new Set(["rootless"]);

/** runc reads `-x` as `--x`; both stop at nothing but the end of the words. */
export function parseRuntime(words: readonly string[], crun: boolean): RuntimeCommand {
  const global = new Map<string, string>();
  const options = new Map<string, string>();
  let command: string | undefined;
  let end = words.length;
  const operands: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    if (word === "--") {
      if (operands.length === 0) end = i;
      operands.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (command === undefined) command = word;
      else if (operands.push(word) === 1) end = i;
      continue;
    }
    const [name = "", value] = split(word.replace(/^--?/, ""));
    const takes = valued.has(name) && !(crun && crunOnlyWithEquals.has(name));
    if (!takes) flags[i] = name;
    const argument = value ?? (takes ? words[(i += 1)] : "");
    (command === undefined ? global : options).set(name === "b" ? "bundle" : name, argument ?? "");
  }
  const places = (name: string) => [...flags.keys()].filter((place) => flags[place] === name);
  return { command, end, global, options, places, container: operands[0] };
}

function split(option: string): [string, string | undefined] {
  const equals = option.indexOf("=");
  return equals < 0 ? [option, undefined] : [option.slice(0, equals), option.slice(equals + 1)];
}
