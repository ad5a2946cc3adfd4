/**
 * What a runtime's own program makes of its configuration: asked before recriu writes there and after. What was there before
 * has to be there still, but for recriu's own lines.
 */
import { basename } from "../../sys/path.ts";
import { findRuntime } from "../real.ts";
import { startedWith } from "./daemon.ts";
import type { Target } from "./targets.ts";
import { criPlugins, isTable, memberOf, parseToml, type Table } from "./toml.ts";

/** What a program said. `config`: all that it has, without recriu's part; `guards`: it comes to recriu. */
type View =
  | { kind: "read"; program: string; config: Table; guards: boolean }
  | { kind: "refused"; program: string; why: string }
  /** There is no such program, it cannot be asked, or gave no answer. */
  | { kind: "unasked"; why: string };

interface Asked {
  program: string;
  words: readonly string[];
  /** The configuration in what it prints; undefined: it is none. */
  read: (text: string) => { config: Table; guards: boolean } | undefined;
  /** What it says where there is no file, and how it is asked for its defaults then. */
  absent?: { says: RegExp; words: readonly string[] };
  /** The daemon's own words stand before these: they and the file may contradict each other. */
  asStarted?: true;
  /** What a program says that is too old to be asked. */
  tooOld?: RegExp;
}

/** How long a program is waited for, in milliseconds: Podman looks through its store. */
const PATIENCE = 20_000;

const asked: Partial<Record<Target, Asked>> = {
  containerd: {
    program: "containerd",
    words: ["config", "dump"],
    absent: { says: /no such file or directory/, words: ["config", "default"] },
    read: readContainerd,
  },
  docker: {
    program: "dockerd",
    words: ["--validate"],
    asStarted: true,
    // It says no more than whether it takes the file.
    read: () => ({ config: {}, guards: true }),
    tooOld: /unknown flag: --validate/,
  },
  podman: {
    program: "podman",
    words: ["info", "--format", "{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}"],
    read(text) {
      const [runtime = "", path = ""] = text.trim().split(" ");
      return path === ""
        ? undefined
        : { config: { runtime }, guards: /^recriu-(runc|crun)$/.test(basename(path)) };
    },
  },
};

/** What the program of `target` has of its configuration on this machine. */
export async function viewOf(
  target: Target,
  env: Readonly<Record<string, string | undefined>>,
): Promise<View> {
  const asks = asked[target];
  if (asks === undefined) return { kind: "unasked", why: "nothing can be asked" };
  const { path: program } = findRuntime(asks.program, env["PATH"]);
  if (program === undefined) return { kind: "unasked", why: `there is no ${asks.program}` };
  const started = asks.asStarted === true ? startedWith(target, env) : undefined;
  let said = await answerOf([program, ...(started?.words ?? []), ...asks.words]);
  if (said.code !== 0 && asks.absent?.says.test(said.errors) === true)
    said = await answerOf([program, ...asks.absent.words]);
  const { text, errors, code, signal } = said;
  if (signal !== null)
    return { kind: "unasked", why: `${program} gave no answer in ${PATIENCE / 1000} seconds` };
  if (asks.tooOld?.test(errors) === true)
    return { kind: "unasked", why: `${program} is too old to be asked` };
  const why = errors.trim().split("\n").at(-1) || `it ended with code ${code}`;
  if (code !== 0) return { kind: "refused", program, why };
  const read = asks.read(text);
  return read === undefined
    ? { kind: "unasked", why: `what ${program} answers is not understood` }
    : { kind: "read", program, ...read };
}

async function answerOf(words: string[]) {
  const child = Bun.spawn(words, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: PATIENCE,
  });
  const [text, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { text, errors, code: child.exitCode, signal: child.signalCode };
}

/** What became worse between two views, in words; undefined: nothing, or it cannot be told. */
export function harmBetween(before: View, after: View): string | undefined {
  if (before.kind !== "read") return undefined;
  const { program } = before;
  if (after.kind === "refused") return `${program} refuses it then: ${after.why}`;
  if (after.kind === "unasked") return `${program} was asked before, and after it: ${after.why}`;
  const place = difference(before.config, after.config);
  if (place !== undefined) return `${program} would have another ${place} then`;
  return after.guards ? undefined : `${program} would not come to recriu all the same`;
}

/** containerd's whole configuration, defaults and all; newer ones have that of an older file in their own form. */
function readContainerd(text: string): { config: Table; guards: boolean } | undefined {
  const dumped = parseToml(text);
  if (dumped === undefined) return undefined;
  const { imports: _, ...config } = dumped;
  const cri = Object.values(criPlugins)
    .map((name) => memberOf(config, "plugins", name, "containerd"))
    .find((table) => table !== undefined);
  const runtimes = memberOf(cri, "runtimes") as Record<string, unknown> | undefined;
  const { BinaryName } = memberOf(runtimes, "recriu", "options") ?? {};
  const standard = cri?.["default_runtime_name"];
  const guards =
    /\/recriu-(runc|crun)$/.test(String(BinaryName)) &&
    typeof standard === "string" &&
    memberOf(runtimes, standard) !== undefined;
  delete runtimes?.["recriu"];
  return { config, guards };
}

/** What stands in a containerd's dump where nothing was said: a table that is written has less of it than its own. */
const isUnsaid = (value: unknown): boolean =>
  value === undefined ||
  value === "" ||
  value === 0 ||
  value === false ||
  value === "podsandbox" ||
  (Array.isArray(value) && value.length === 0) ||
  (isTable(value) && Object.values(value).every(isUnsaid));

/** The first place at which two configurations say something else. */
function difference(one: unknown, other: unknown): string | undefined {
  if (!isTable(one) || !isTable(other))
    return (isUnsaid(one) && isUnsaid(other)) || Bun.deepEquals(one, other) ? undefined : "";
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const place = difference(one[name], other[name]);
    if (place !== undefined) return place === "" ? name : `${name}.${place}`;
  }
  return undefined;
}
