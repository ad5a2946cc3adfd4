/** What recriu itself was asked for, by its own options, the environment and its file. */
import type { MappedPath } from "../image/index.ts";
import { ENOENT, ENOTDIR, errorText } from "../sys/errno.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { bytesAt } from "../sys/small-files.ts";
import { access, F_OK } from "../sys/stat.ts";
import { changeable } from "../sys/trust.ts";
import { absolute } from "../sys/working-directory.ts";
import { parseConfig } from "./config.ts";
import { pathsOf, replacementsOf, type ReplacedAddress } from "./elsewhere.ts";
import type { ParsedOption } from "./getopt.ts";
import { type Isolation, isolationKinds, isolationOf, type Network } from "./isolation.ts";
import { recriuOptions } from "./own-options.ts";

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
  /** Files that are to be as they were sealed; absolute paths of this machine. */
  readonly usePacked: readonly string[];
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
  /** Public keys of minisign, or absolute paths of files with one: the seal has to be signed by one of them. */
  readonly verifyKeys: readonly string[];
  /** It has to be signed, whether a key is named or not. */
  readonly requireSignature: boolean;
  /** The namespaces of its own that the tree is given; undefined: none. */
  readonly isolate: Isolation | undefined;
  /** Directories of which it has its own. */
  readonly isolateDirs: readonly string[];
  /** Addresses of the tree that are others here. */
  readonly replaceIp: readonly ReplacedAddress[];
  /** Paths of the tree that are elsewhere here. */
  readonly mapPath: readonly MappedPath[];
  /** Which network that of its own is. */
  readonly network: Network;
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
  "verify-key",
  "require-signature",
] as const;

/** Settings of which every use counts, and what stands between their values: a directory's name may hold a comma. */
const separators: Readonly<Record<string, string>> = {
  ignore: ",",
  "allow-write": "\0",
  "verify-key": "\0",
};
/** What an option means that stands without a value: a bare --fix asks for the repairs. */
const bare: Readonly<Record<string, string>> = {
  fix: "safe",
  untrusted: "yes",
  isolate: "auto",
  "require-signature": "yes",
};

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
  const untrusted = isOn(assigned.untrusted);
  if (!untrusted.ok) return untrusted;
  const requireSignature = isOn(assigned["require-signature"]);
  if (!requireSignature.ok) return requireSignature;
  const keys = verifyKeysOf(assigned);
  if (!keys.ok) return keys;
  const isolation = assigned.isolate && isolationOf(assigned.isolate.value);
  if (assigned.isolate !== undefined && isolation === undefined)
    return {
      ok: false,
      problem: `${assigned.isolate.from} is auto, or of ${isolationKinds.join(", ")}, net:veth, net:NAME; not '${assigned.isolate.value}'`,
    };
  const replaceIp = replacementsOf(parsed);
  if (typeof replaceIp === "string") return { ok: false, problem: replaceIp };
  const mapPath = pathsOf(parsed);
  if (typeof mapPath === "string") return { ok: false, problem: mapPath };
  const edited = ["map-path", "replace-ip"].find((name) => onCommandLine.has(name));
  if (edited !== undefined && fix.value === "none")
    return {
      ok: false,
      problem: `--${edited} needs edited copies of images, and --fix=none has none`,
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
      usePacked: parsed.flatMap(({ name, value }) => (name === "use-packed" ? (value ?? []) : [])),
      criu: assigned.criu?.value,
      from: { criu: assigned.criu?.from, ignore: assigned.ignore?.from },
      json: onCommandLine.has("json"),
      stallSeconds: Number(stall.value),
      untrusted: untrusted.value,
      verifyKeys: keys.value,
      requireSignature: requireSignature.value,
      allowWrite,
      isolate: isolation?.isolate,
      isolateDirs: parsed.flatMap(({ name, value }) =>
        name === "isolate-dir" ? (value ?? []) : [],
      ),
      replaceIp,
      mapPath,
      network: isolation?.network ?? "own",
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
const listOf = (assigned: Assignments, name: "ignore" | "allow-write" | "verify-key"): string[] =>
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
    const before = name === "ignore" || !(name in separators) ? undefined : settings[name];
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

function isOn(setting: { value: string; from: string } | undefined): Choice<boolean> {
  const word = choice(setting, ["no", "yes", "0", "1", "false", "true"] as const);
  return word.ok ? { ok: true, value: ["yes", "1", "true"].includes(word.value) } : word;
}

/** A public key of minisign, as its -P takes it. */
export const isKey = (word: string): boolean => /^RW[A-Za-z0-9+/]{54}$/.test(word);

/** Only on the command line a file may be named from the working directory. An empty word would demand nothing: it is none. */
function verifyKeysOf(assigned: Assignments): Choice<string[]> {
  const given = assigned["verify-key"];
  const named = listOf(assigned, "verify-key");
  if (given === undefined) return { ok: true, value: named };
  const { from, value } = given;
  const typed = from.startsWith("--");
  const odd = named.find((word) => !typed && !isKey(word) && !word.startsWith("/"));
  if (odd !== undefined)
    return { ok: false, problem: `${from} wants a key or an absolute path; not '${odd}'` };
  if (named.length < value.split(separators["verify-key"]!).length)
    return { ok: false, problem: `${from} wants a public key of minisign, or the file of one` };
  return { ok: true, value: named.map((word) => (isKey(word) ? word : absolute(word))) };
}

/** Why a restore may not go on without a look at its images; undefined: it may. */
export const mustBeSeen = ({
  untrusted,
  verifyKeys,
  requireSignature,
}: Demanded): string | undefined => {
  if (untrusted) return "untrusted";
  return mustBeSigned({ verifyKeys, requireSignature }) ? "a signature is required" : undefined;
};

type Demanded = Pick<Settings, "untrusted" | "verifyKeys" | "requireSignature">;

/** Only what is signed is restored. */
export const mustBeSigned = ({
  verifyKeys,
  requireSignature,
}: Omit<Demanded, "untrusted">): boolean => verifyKeys.length > 0 || requireSignature;

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
