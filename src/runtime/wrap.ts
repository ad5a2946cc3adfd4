/**
 * An OCI runtime with restores made safe. Every call is the runtime's own, executed in this process's place; before a
 * `restore` the checkpoint is looked at against the container's root, and what is safe is repaired there.
 */
import type { Finding } from "../checks/index.ts";
import { readConfigFile } from "../criu/config-file.ts";
import {
  configLines,
  configText,
  knows,
  parseConfig,
  parseWords,
  requestFrom,
  requestOptions,
  withheld,
} from "../criu/index.ts";
import { become, type Exec, inheritedExec } from "../dropin/exec.ts";
import { sayAside } from "../dropin/hand.ts";
import { inRuntimesWords } from "../dropin/runtimes-words.ts";
import { watch } from "../dropin/watch.ts";
import { preflight } from "../plan/preflight.ts";
import { printFindings } from "../report/findings.ts";
import { causeOf, keepReason } from "../report/reasons.ts";
import { captured, harmless, line } from "../report/terminal.ts";
import { type Aside, prepare, type Refused, unseen } from "../restore/prepare.ts";
import { errorText } from "../sys/errno.ts";
import { front } from "../sys/front.ts";
import { sh } from "../sys/shell.ts";
import { parseRuntime, type RuntimeCommand } from "./arguments.ts";
import { readBundle } from "./bundle.ts";
import { logError } from "./log.ts";
import { findRuntime, saidBy, versionOf } from "./real.ts";
import { criuWordsOf, fileOverRequest, logOf, passOn, standsUnderRuntime } from "./request.ts";

const REFUSED = 1;
const NOT_FOUND = 127;
const CONFIG = "CRIU_CONFIG_FILE=";

/** Be the runtime `of` (`runc`, `crun`, or a path). Returns an exit code only where the runtime is not executed. */
export async function wrap(of: string, words: readonly string[]): Promise<number> {
  const exec = inheritedExec();
  const { path, passed } = findRuntime(of, process.env.PATH);
  for (const each of passed) line(`recriu: ${harmless(each)}`);
  if (path === undefined) {
    line(`recriu: no ${harmless(of)} in PATH and the usual places`);
    return NOT_FOUND;
  }
  const [, ...rest] = exec.argv;
  const crun = path.includes("crun");
  const command = parseRuntime(words, crun);
  const execute: Execute = (more) => {
    const flags = more.flags.map((flag) => Buffer.from(`${flag}\0`));
    const kept = rest.map((word, place) => (more.without.includes(place) ? [] : [word]));
    const argv = [Buffer.from(`${path}\0`), ...kept.toSpliced(command.end, 0, flags).flat()];
    // Of two variables of one name the first counts.
    const names = more.env.map((entry) => entry.slice(0, entry.indexOf("=") + 1));
    const env = exec.env.filter((entry) => names.every((name) => entry.indexOf(name) !== 0));
    const failed = become(path, { ...exec, argv, env }, [], more.env);
    return failed === 0 ? undefined : `${path}: ${errorText(failed)}`;
  };
  const come = command.command === "restore" ? await restore(command, path, exec, execute) : ASIDE;
  if (come === undefined) return 0;
  if (come === ASIDE) {
    const problem = execute({ flags: [], without: [], env: [] });
    if (problem === undefined) return 0;
    line(`recriu: ${harmless(problem)}`);
    return NOT_FOUND;
  }
  const { images = command.options.get("image-path") ?? "", message, blockers } = come;
  const [log, asked] = [logOf(command), command.options.get("work-path")];
  const print = () => printFindings(blockers);
  const text = captured(print);
  const by = `recriu-${crun ? "crun" : "runc"}`;
  const shown = keepReason({ by, images, log: asked, cause: message, text });
  const more =
    shown || blockers.length === 0 ? shown : `; ${sh`recriu preflight -D ${images}`} shows all`;
  const said = `${message}${more}`;
  if (log !== undefined) logError(log, said);
  // Callers show the first line of stderr, or all of it.
  line(`recriu: ${harmless(said)}`);
  print();
  return REFUSED;
}

/** Have the runtime executed: why it cannot be. `without`: places of the words that it is not given. */
type Execute = (more: { flags: string[]; without: number[]; env: string[] }) => string | undefined;

interface Refusal {
  message: string;
  images?: string;
  blockers: readonly Finding[];
}

/** What cannot be looked at (no bundle, no images) is for the runtime to refuse in its words. */
const ASIDE = "aside";

/** Prepare the restore, have the runtime executed, and watch over it. Undefined: it was. */
async function restore(
  command: RuntimeCommand,
  path: string,
  exec: Exec,
  execute: Execute,
): Promise<Refusal | typeof ASIDE | undefined> {
  const crun = path.includes("crun");
  const refused = (message: string): Refusal => ({ message, blockers: [] });
  const unlooked = async (come: Aside | Refused): Promise<Refusal | typeof ASIDE> => {
    if (come.kind === "refused") return refused(come.problem);
    await sayAside(come.why);
    return ASIDE;
  };
  const read = readBundle(command.options.get("bundle") ?? ".");
  if (!read.ok) return unlooked(unseen(read.problem));
  const { bundle } = read;
  // CRIU puts what stands in that file over all that the runtime asks.
  const over = fileOverRequest(bundle, crun ? () => versionOf(path) : undefined);
  const config = parseConfig((over && readConfigFile(over)) ?? "");
  if (!config.ok) return unlooked(unseen(`${over} is no configuration file`));
  const words = [...criuWordsOf(command, bundle, crun), ...config.words];
  const asked = requestFrom(words, process.env, requestOptions);
  if (!asked.ok)
    return asked.inSettings === true ? refused(asked.problem) : unlooked(unseen(asked.problem));
  if (asked.ignored !== undefined) line(`recriu: ${harmless(asked.ignored)}`);
  const { request, settings } = asked;
  let listed: string | undefined;
  const help = () => (listed ??= saidBy([path, "restore", "--help"]));
  const stands = (finding: Finding) => standsUnderRuntime(finding, bundle, command);
  const come = await prepare(request, settings, {
    forCriu: true,
    look: () => preflight(request, settings, { stands, bundle: bundle.grants }),
    asks: (version) => knows(version, "scriptsBesideRpc", false),
    reaches: (option) => !passOn([option], help, crun).lost.includes(option),
    again: () => front?.forkAgain("numbers"),
  });
  if (front?.isGone() === true) return undefined; // the runtime will not run
  if (come.kind === "aside" || come.kind === "refused") return unlooked(come);
  const { plan, checkpoint } = come.preflight;
  if (come.kind === "blocked") {
    const blockers = inRuntimesWords(come.blockers, request);
    return { message: causeOf(blockers), images: checkpoint.dir, blockers };
  }
  if (over !== undefined && asksDedup(config.words)) return refused(dedupIn(over));
  const { flags, lines } = passOn(plan.options, help, crun);
  const given = configText(process.env.CRIU_CONFIG_FILE);
  const text = [given, ...lines, configLines(withheld(request))].join("");
  const watched = { words, exec, config: text, forRuntime: true, notes: [] };
  const failed = await watch(come, watched, (there) => {
    const named = there.config === undefined ? [] : [`${CONFIG}${there.config}`];
    const images = there.images === undefined ? [] : [`--image-path=${there.images}`];
    // It is done when the container runs.
    const without = request.autoDedup ? command.places("auto-dedup") : [];
    const env = [...named, ...plan.environment];
    return execute({ flags: [...flags, ...images], without, env });
  });
  return failed && refused(failed.problem);
}

/** Whether the words of a configuration file have CRIU take the pages out of the images. */
function asksDedup(words: readonly string[]): boolean {
  const parsed = parseWords(words);
  const last = parsed.ok && parsed.options.findLast(({ name }) => name === "auto-dedup");
  return last !== undefined && last !== false && !last.negated;
}

const dedupIn = (file: string): string =>
  `auto-dedup in ${file} has CRIU destroy the images while it reads them, also where the container is refused then; nothing was touched; give it as the runtime's --auto-dedup instead`;
