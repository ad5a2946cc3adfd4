/** recriu's own options: none of them is CRIU's, and none reaches CRIU. */
import { ENOENT, ENOTDIR, errorText } from "../sys/errno.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { bytesAt } from "../sys/small-files.ts";
import { access, F_OK } from "../sys/stat.ts";
import { changeable } from "../sys/trust.ts";
import { parseConfig } from "./config.ts";
import type { ParsedOption } from "./getopt.ts";
import { type Isolation, isolationKinds, isolationOf } from "./isolation.ts";
import type { RecriuOption } from "./option.ts";

/** The options of `restore`. Other commands add theirs. */
export const recriuOptions: readonly RecriuOption[] = [
  { name: "dry-run", arg: "none", help: "show findings and plan, change nothing" },
  {
    name: "fix",
    arg: "optional",
    value: "safe|host|none",
    help: "repair what is safe to repair (default safe); host: also raise the kernel's limits that are in the way",
  },
  {
    name: "verify",
    arg: "required",
    value: "gate|report|off|memory",
    help: "compare the tree before it runs: a wrong one is killed (gate, default) or reported; memory: gate, and all that is in memory",
  },
  {
    name: "ignore",
    arg: "required",
    value: "ID,…",
    help: "go on despite these findings; all for every one",
  },
  {
    name: "sched-prio",
    arg: "required",
    value: "N",
    help: "the priority of real-time threads where the images have none, 1 to 99 (default 1)",
  },
  {
    name: "allow-grown",
    arg: "required",
    value: "PATH",
    help: "this open file may be longer than it was at the dump; may be repeated",
  },
  {
    name: "isolate",
    arg: "optional",
    value: "auto|pid,mount,pty",
    help: "give the tree namespaces of its own, as far as findings need them (auto) or of these kinds",
  },
  { name: "criu", arg: "required", value: "PATH", help: "the CRIU to run" },
  { name: "json", arg: "none", help: "print one JSON document on stdout" },
  {
    name: "stall",
    arg: "required",
    value: "SECONDS",
    help: "give a CRIU up that gets nowhere for so long before the tree runs (default 300; 0: never)",
  },
  {
    name: "wait",
    arg: "required",
    value: "SECONDS",
    help: "wait so long for what is in the way and may end by itself: a number, port or name that is taken, a mount that is coming (default 0)",
  },
  {
    name: "rehearse",
    arg: "none",
    help: "restore in namespaces of the tree's own, stopped, verify, and discard it: would it work?",
  },
  {
    name: "or-else",
    arg: "required",
    value: "COMMAND",
    help: "of restore, the last option: become COMMAND, with all words behind it, when nothing was restored and nothing is left of it",
  },
  {
    name: "settle",
    arg: "required",
    value: "SECONDS",
    help: "of a detached restore: watch the tree for so long after it runs and tell what ends (default 0)",
  },
  {
    name: "progress-fd",
    arg: "required",
    value: "N",
    help: "write how far the restore is to this descriptor, as JSON lines",
  },
  {
    name: "untrusted",
    arg: "optional",
    value: "yes|no",
    help: "do not trust the images: what they would do to this machine is a finding",
  },
  {
    name: "allow-write",
    arg: "required",
    value: "DIR",
    help: "with --untrusted: the tree may write below this directory; may be repeated",
  },
];

/** What recriu itself was asked for. Command line over environment over /etc/recriu/recriu.conf over default. */
export interface Settings {
  readonly dryRun: boolean;
  /** The tree is discarded when it was verified. */
  readonly rehearse: boolean;
  /** host: also settings of the kernel. */
  readonly fix: "safe" | "host" | "none";
  /** memory: as gate, and what the tree has in memory. */
  readonly verify: "gate" | "report" | "off" | "memory";
  /** Names of checks, or `all`. Uses on the command line add up; they replace those of the environment. */
  readonly ignore: readonly string[];
  /** For real-time threads without a saved priority: 1 to 99. */
  readonly schedPrio: number | undefined;
  /** Files that may have grown since the dump, by their paths on this machine. */
  readonly allowGrown: readonly string[];
  /** The CRIU to run; undefined: look for it. */
  readonly criu: string | undefined;
  /** Where it was set: `--criu`, `RECRIU_CRIU`, `criu in /etc/recriu/recriu.conf`; and where the ids of `ignore`. */
  readonly from: { readonly criu?: string | undefined; readonly ignore?: string | undefined };
  readonly json: boolean;
  /** Seconds without progress after which CRIU is given up; 0: never. */
  readonly stallSeconds: number;
  /** The images are not to be believed in what they would do to this machine. */
  readonly untrusted: boolean;
  /** Directories of this machine, absolute paths, below which an untrusted tree may write. */
  readonly allowWrite: readonly string[];
  /** The namespaces of its own that the tree is given; undefined: none. */
  readonly isolate: Isolation | undefined;
  /** Seconds that a detached tree is watched after it runs; 0: it is not. */
  readonly settleSeconds: number;
  /** Seconds that are waited for what may end by itself; 0: none. */
  readonly waitSeconds: number;
  /** Own options that stood on the command line, with their last value ("" where it has none). */
  readonly onCommandLine: ReadonlyMap<string, string>;
  /** The words on the command line that a call of `restore` in its place needs, too: not how it is told, nor `--dry-run`. */
  readonly words: readonly string[];
}

type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problem: string };

export const settingsFile = "/etc/recriu/recriu.conf";

/** Options that may also stand in the environment (as RECRIU_NAME) and in the file. */
export const settable = [
  "fix",
  "verify",
  "ignore",
  "criu",
  "stall",
  "settle",
  "untrusted",
  "allow-write",
  "isolate",
  "wait",
] as const;

/** Settings of which every use counts, and what stands between their values: a directory's name may hold a comma. */
const separators: Readonly<Record<string, string>> = { ignore: ",", "allow-write": "\0" };
/** What an option means that stands without a value: a bare --fix asks for the repairs. */
const bare: Readonly<Record<string, string>> = { fix: "safe", untrusted: "yes", isolate: "auto" };

type Assignments = Partial<Record<(typeof settable)[number], { value: string; from: string }>>;

/** Settle the own options. `configText` is what stands in /etc/recriu/recriu.conf. */
export function resolveSettings(
  parsed: readonly ParsedOption[],
  env: Readonly<Record<string, string | undefined>>,
  configText: string | undefined,
): SettingsResult {
  const config = configText === undefined ? {} : settingsOf(configText);
  if (typeof config === "string") return { ok: false, problem: config };

  const assigned: Assignments = { ...config, ...environment(env) };
  const onCommandLine = new Map(parsed.map((option) => [option.name, option.value ?? ""]));
  for (const name of settable) {
    const values = parsed.filter((option) => option.name === name).map((option) => option.value);
    if (values.length === 0) continue;
    const value =
      name in separators ? values.join(separators[name]) : (values.at(-1) ?? bare[name] ?? "");
    assigned[name] = { value, from: `--${name}` };
  }

  const fix = choice(assigned.fix, ["safe", "host", "none"] as const);
  if (!fix.ok) return fix;
  const verify = choice(assigned.verify, ["gate", "report", "off", "memory"] as const);
  if (!verify.ok) return verify;
  if (assigned.criu?.value === "") {
    return { ok: false, problem: `${assigned.criu.from} wants the path of a program` };
  }
  const stall = assigned.stall ?? { value: "300", from: "" };
  const settle = assigned.settle ?? { value: "0", from: "" };
  const wait = assigned.wait ?? { value: "0", from: "" };
  for (const { value, from } of [stall, settle, wait])
    if (!/^\d{1,6}$/.test(value))
      return { ok: false, problem: `${from} wants a number of seconds, not '${value}'` };
  const priority = onCommandLine.get("sched-prio");
  if (priority !== undefined && !/^[1-9]\d?$/.test(priority)) {
    return { ok: false, problem: `--sched-prio is 1 to 99; not '${priority}'` };
  }
  const untrusted = choice(assigned.untrusted, ["no", "yes", "0", "1", "false", "true"] as const);
  if (!untrusted.ok) return untrusted;
  const isolate = assigned.isolate && isolationOf(assigned.isolate.value);
  if (assigned.isolate !== undefined && isolate === undefined)
    return {
      ok: false,
      problem: `${assigned.isolate.from} is auto, or of ${isolationKinds.join(", ")}; not '${assigned.isolate.value}'`,
    };
  const allowWrite = listOf(assigned, "allow-write");
  const relative = allowWrite.find((dir) => !dir.startsWith("/"));
  if (relative !== undefined)
    return {
      ok: false,
      problem: `${assigned["allow-write"]?.from} wants absolute paths; not '${relative}'`,
    };
  return {
    ok: true,
    settings: {
      dryRun: onCommandLine.has("dry-run"),
      rehearse: onCommandLine.has("rehearse"),
      fix: fix.value,
      verify: verify.value,
      ignore: listOf(assigned, "ignore"),
      schedPrio: priority === undefined ? undefined : Number(priority),
      allowGrown: parsed.flatMap(({ name, value }) =>
        name === "allow-grown" ? (value ?? []) : [],
      ),
      criu: assigned.criu?.value,
      from: { criu: assigned.criu?.from, ignore: assigned.ignore?.from },
      json: onCommandLine.has("json"),
      stallSeconds: Number(stall.value),
      untrusted: ["yes", "1", "true"].includes(untrusted.value),
      allowWrite,
      isolate,
      settleSeconds: Number(settle.value),
      waitSeconds: Number(wait.value),
      onCommandLine,
      words: parsed.flatMap(({ name, argv }) => (carried.has(name) ? argv : [])),
    },
  };
}

const carried: ReadonlySet<string> = new Set(
  recriuOptions
    .map(({ name }) => name)
    .filter((name) => !/^(json|dry-run|progress-fd|or-else|rehearse)$/.test(name)),
);

/** The values of a list; none when it is not set. */
const listOf = (assigned: Assignments, name: "ignore" | "allow-write"): string[] =>
  (assigned[name]?.value ?? "")
    .split(separators[name]!)
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** The variable of the environment that stands for an option. */
export const variableOf = (name: string): string =>
  `RECRIU_${name.toUpperCase().replaceAll("-", "_")}`;

/** RECRIU_FIX and its like; an empty one is none. */
function environment(env: Readonly<Record<string, string | undefined>>): Assignments {
  const settings: Assignments = {};
  for (const name of settable) {
    const from = variableOf(name);
    const value = env[from]?.replaceAll(",", separators[name] ?? ",");
    if (value !== undefined && value !== "") settings[name] = { value, from };
  }
  return settings;
}

/** The file's settings, or what is wrong with it. Here `fix none` is as good as `fix=none`. */
function settingsOf(text: string): Assignments | string {
  const parsed = parseConfig(text);
  if (!parsed.ok) return `${settingsFile}:${parsed.line}: ${parsed.problem}`;
  const settings: Assignments = {};
  for (const [typed = "", next] of statements(parsed.words)) {
    const equals = typed.indexOf("=");
    const name = settable.find((word) => word === (equals < 0 ? typed : typed.slice(0, equals)));
    if (name === undefined) {
      return `${settingsFile}: unknown setting '${typed}'; it knows ${settable.join(", ")}`;
    }
    const value =
      equals < 0 ? (next ?? (name === "fix" ? undefined : bare[name])) : typed.slice(equals + 1);
    if (value === undefined) return `${settingsFile}: '${name}' wants a value`;
    // Its lines add up.
    const before = name === "allow-write" ? settings[name] : undefined;
    const all = before === undefined ? value : `${before.value}${separators[name]}${value}`;
    settings[name] = { value: all, from: `${name} in ${settingsFile}` };
  }
  return settings;
}

/** Name and value of each line; only names begin with dashes that were not typed. */
function statements(words: readonly string[]): (readonly string[])[] {
  const found: string[][] = [];
  for (const word of words) {
    if (word.startsWith("--")) found.push([word.slice(2)]);
    else found.at(-1)?.push(word);
  }
  return found;
}

type Choice<T> = { ok: true; value: T } | { ok: false; problem: string };

/** One of `known`, of which the first is the default. */
function choice<T extends string>(
  setting: { value: string; from: string } | undefined,
  words: readonly [T, ...T[]],
): Choice<T> {
  if (setting === undefined) return { ok: true, value: words[0] };
  const value = words.find((word) => word === setting.value);
  if (value !== undefined) return { ok: true, value };
  return { ok: false, problem: `${setting.from} is ${words.join(", ")}; not '${setting.value}'` };
}

/**
 * /etc/recriu/recriu.conf: its text, undefined without one, or why it cannot be read. One that others can change is
 * `ignored`, in these words: it could turn verification off or name another CRIU.
 */
export function readSettingsFile(): {
  text: string | undefined;
  problem?: string;
  ignored?: string;
} {
  // Nothing of it is read before: it could be without an end.
  const how = access(settingsFile, F_OK) === 0 ? changeable(settingsFile) : undefined;
  if (how !== undefined) return { text: undefined, ignored: `${settingsFile} is not used: ${how}` };
  const bytes = bytesAt(AT_FDCWD, settingsFile);
  if (typeof bytes !== "number") return { text: bytes.toString() };
  if (bytes === -ENOENT || bytes === -ENOTDIR) return { text: undefined };
  return { text: undefined, problem: `${settingsFile} cannot be read: ${errorText(bytes)}` };
}
