/**
 * An OCI runtime with restores made safe. Every call is the runtime's own, executed in this process's place; before a
 * `restore` the checkpoint is looked at against the container's root, and what is safe is repaired there.
 */
import type { Finding } from "../checks/index.ts";
import { readConfigFile } from "../criu/config-file.ts";
import { knows, parseConfig, parseWords, requestFrom, requestOptions } from "../criu/index.ts";
import { become, whatWasGiven } from "../dropin/given.ts";
import { startWatcher } from "../dropin/watcher.ts";
import { preflight, type Preflight } from "../plan/preflight.ts";
import { harmless, line } from "../report/terminal.ts";
import { printFindings } from "../report/text.ts";
import { errorText } from "../sys/errno.ts";
import { parseRuntime, type RuntimeCommand } from "./arguments.ts";
import { readBundle } from "./bundle.ts";
import { logError } from "./log.ts";
import { findRuntime } from "./real.ts";
import { criuWordsOf, fileOverRequest, logOf, passOn, standsUnderRuntime } from "./request.ts";
import { sh } from "../sys/shell.ts";

const REFUSED = 1;
const NOT_FOUND = 127;
const CONFIG = "CRIU_CONFIG_FILE=";

/** Be the runtime `of` (`runc`, `crun`, or a path). Returns an exit code only where the runtime is not executed. */
export async function wrap(of: string, words: readonly string[]): Promise<number> {
  const given = whatWasGiven();
  const { path, passed } = findRuntime(of, process.env.PATH);
  for (const each of passed) line(`recriu: ${harmless(each)}`);
  if (path === undefined) {
    line(`recriu: no ${harmless(of)} in PATH and the usual places`);
    return NOT_FOUND;
  }
  const [, ...rest] = given.argv;
  const crun = path.includes("crun");
  const command = parseRuntime(words, crun);
  const prepared: Prepared =
    command.command === "restore"
      ? await prepare(command, crun)
      : { ok: true, flags: [], without: [], env: [] };
  if (prepared.ok) {
    const flags = prepared.flags.map((flag) => Buffer.from(`${flag}\0`));
    const kept = rest.map((word, place) => (prepared.without.includes(place) ? [] : [word]));
    const argv = [Buffer.from(`${path}\0`), ...kept.toSpliced(command.end, 0, flags).flat()];
    // Of two variables of one name the first counts.
    const names = prepared.env.map((entry) => entry.slice(0, entry.indexOf("=") + 1));
    const env = given.env.filter((entry) => names.every((name) => entry.indexOf(name) !== 0));
    const failed = become(path, { ...given, argv, env }, [], prepared.env);
    line(`recriu: ${harmless(path)}: ${errorText(failed)}`);
    return NOT_FOUND;
  }
  const log = logOf(command);
  if (log !== undefined) logError(log, prepared.message);
  // Callers show the first line of stderr, or all of it.
  line(`recriu: ${harmless(prepared.message)}`);
  printFindings(prepared.blockers);
  return REFUSED;
}

type Prepared =
  /** `without`: places of the words that the runtime is not given. */
  | { ok: true; flags: string[]; without: number[]; env: string[] }
  | { ok: false; message: string; blockers: readonly Finding[] };

/**
 * Preflight; and a watcher that repairs, stands at the gate and takes back. What cannot be looked at (no bundle, no
 * images) is for the runtime to refuse in its words.
 */
async function prepare(command: RuntimeCommand, crun: boolean): Promise<Prepared> {
  const nothing: Prepared = { ok: true, flags: [], without: [], env: [] };
  const read = readBundle(command.options.get("bundle") ?? ".");
  if (!read.ok) return nothing;
  const words = criuWordsOf(command, read.bundle);
  const asked = requestFrom(words, process.env, requestOptions);
  if (!asked.ok)
    return asked.own === true ? { ok: false, message: asked.problem, blockers: [] } : nothing;
  if (asked.ignored !== undefined) line(`recriu: ${harmless(asked.ignored)}`);
  const result = await preflight(
    asked.request,
    asked.own,
    (finding) => standsUnderRuntime(finding, read.bundle),
    undefined,
    read.bundle.grants,
  );
  if (!result.ok) return nothing;
  const { plan, criu, own } = result.preflight;
  const { flags, lines, lost } = passOn(plan.options);
  const blockers = result.preflight.findings.filter(
    (finding) =>
      plan.unanswered.includes(finding) ||
      (finding.severity === "blocker" &&
        finding.remedy.kind === "option" &&
        lost.includes(finding.remedy.option)),
  );
  if (blockers.length > 0)
    return { ok: false, message: refusal(blockers, result.preflight), blockers };
  const { autoDedup } = asked.request;
  const over = fileOverRequest(read.bundle, crun);
  if (over !== undefined && asksDedup(readConfigFile(over)))
    return { ok: false, message: dedupIn(over), blockers: [] };
  const watcher = startWatcher({
    words: [...plan.options, ...words],
    plan,
    own,
    gate: knows(criu?.version, "scriptsBesideRpc", false),
    config: [givenConfig(), ...lines, ...(autoDedup ? ["no-auto-dedup\n"] : [])].join(""),
    runtime: process.pid,
    notes: [],
    pid: process.pid,
  });
  if (!watcher.ok) return { ok: false, message: watcher.problem, blockers: [] };
  const config = watcher.config === undefined ? [] : [`${CONFIG}${watcher.config}`];
  const env = [...config, ...plan.environment];
  const images = watcher.images === undefined ? [] : [`--image-path=${watcher.images}`];
  // The watcher does it when the container runs.
  const without = autoDedup ? command.places("auto-dedup") : [];
  return { ok: true, flags: [...flags, ...images], without, env };
}

/** Whether a configuration file has CRIU take the pages out of the images. */
function asksDedup(text = ""): boolean {
  const config = parseConfig(text);
  const parsed = config.ok ? parseWords(config.words) : undefined;
  const last = parsed?.ok && parsed.options.findLast(({ name }) => name === "auto-dedup");
  return last !== undefined && last !== false && !last.negated;
}

const dedupIn = (file: string): string =>
  `auto-dedup in ${file} has CRIU destroy the images while it reads them, also where the container is refused then; nothing was touched; give it as the runtime's --auto-dedup instead`;

/** What a configuration file that the environment names says already. */
function givenConfig(): string {
  const file = process.env.CRIU_CONFIG_FILE;
  const text = file === undefined ? undefined : readConfigFile(file);
  return text === undefined || text === "" || text.endsWith("\n") ? (text ?? "") : `${text}\n`;
}

/** One line, for logs: what blocks, and how to read more. */
function refusal([first, ...others]: readonly Finding[], { checkpoint }: Preflight): string {
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return `the restore is blocked: ${first!.message} [${first!.id}]${more}; nothing was touched; ${sh`recriu preflight -D ${checkpoint.dir}`} shows all`;
}
