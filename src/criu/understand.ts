/** The words of `criu restore` to a Request, as CRIU understands them (criu(8); criu/config.c, criu/crtools.c). */
import { configProblem, readConfigFile, type ReadConfig } from "./config-file.ts";
import { configSources, parseConfig } from "./config.ts";
import { optionOf } from "./beyond-table.ts";
import { findCriu } from "./find.ts";
import { type ParsedOption, parseWords } from "./getopt.ts";
import { flag, type RecriuOption } from "./option.ts";
import { asRequested, byName } from "./option-names.ts";
import { settingsFile, type Settings, readSettingsFile, resolveSettings } from "./settings.ts";
import { recriuOptions } from "./own-options.ts";
import { absoluteFrom, settlePaths } from "./paths.ts";
import { applyOption, type Draft, emptyDraft, type Request } from "./request.ts";

type RequestResult =
  /** `ignored`: that recriu's own configuration file is not used, and why. */
  | {
      readonly ok: true;
      readonly request: Request;
      readonly settings: Settings;
      readonly ignored?: string;
    }
  /** `asked`: no mistake, but `--help` or `--version`; then `problem` is "". */
  | {
      readonly ok: false;
      readonly asked?: "help" | "version";
      readonly problem: string;
      /** It is recriu's own settings that are wrong, of which CRIU knows nothing. */
      readonly inSettings?: true;
    };

/**
 * Understand the words after `restore`. `recriu` are recriu's options that the command takes; `read` reads
 * configuration files. What CRIU would refuse before it looks at an image is a problem here.
 */
export function requestFrom(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  recriu: readonly RecriuOption[] = recriuOptions,
  read: ReadConfig = readConfigFile,
): RequestResult {
  const posixlyCorrect = env.POSIXLY_CORRECT !== undefined;
  const beyond = (typed: string) => optionOf(criuAsked(argv, env, recriu, read), typed);
  const parsed = parseWords(argv, { recriu, posixlyCorrect, beyond });
  const sources = configSources(parsed.ok ? parsed.argv : argv, env);
  if (sources.help) return { ok: false, asked: "help", problem: "" };
  if (!parsed.ok) return parsed;

  const options: ParsedOption[] = [];
  const configFiles: string[] = [];
  for (const file of sources.files) {
    const odd = read === readConfigFile ? configProblem(file) : undefined;
    if (odd !== undefined) return { ok: false, problem: odd };
    const text = read(file);
    if (text === undefined) continue;
    const config = parseConfig(text);
    if (!config.ok) return { ok: false, problem: `${file}:${config.line}: ${config.problem}` };
    const words = parseWords(config.words, { posixlyCorrect, beyond });
    if (!words.ok) return { ok: false, problem: `${file}: ${words.problem}` };
    options.push(...words.options);
    configFiles.push(file);
  }
  options.push(
    ...parsed.options,
    ...parsed.recriuOptions.flatMap((option) => asRequested(option) ?? []),
  );

  const draft = emptyDraft(parsed.argv, configFiles);
  const explicit = new Set<string>();
  for (const option of options) {
    if (option.name === "help" || option.name === "version") {
      return { ok: false, asked: option.name, problem: "" };
    }
    explicit.add(option.name);
    if (byName(option.name) === undefined) {
      draft.beyond.push(`--${option.name}`);
      continue;
    }
    const problem = applyOption(draft, option);
    if (problem !== undefined) return { ok: false, problem };
  }
  const [excess] = parsed.operands;
  if (explicit.has("exec-cmd")) {
    draft.execCmd = [...parsed.operands];
    const problem = excess === undefined ? "--exec-cmd wants a command" : undefined;
    if (problem !== undefined) return { ok: false, problem };
  } else if (excess !== undefined) {
    return {
      ok: false,
      problem: excessProblem(excess, argv, [...parsed.options, ...parsed.recriuOptions], recriu),
    };
  }

  draft.explicit = explicit;
  draft.deprecated ||= env.CRIU_DEPRECATED !== undefined;
  draft.libdir ??= env.CRIU_LIBS_DIR;
  if (!explicit.has("work-dir")) draft.workDir = draft.imagesDir;
  const problem = contradiction(draft);
  if (problem !== undefined) return { ok: false, problem };
  const settled = settingsFrom(parsed.recriuOptions, env, read);
  if (!settled.ok) return { ...settled, inSettings: true };
  const { settings } = settled;
  const absolute = (path: string) => absoluteFrom(".", path);
  const allowGrown = settings.allowGrown.map(absolute);
  const usePacked = settings.usePacked.map(absolute);
  return {
    ...settled,
    request: settlePaths(draft),
    settings: { ...settings, allowGrown, usePacked },
  };
}

/** The CRIU that will be asked, while the words are not understood yet; "" where none is found. */
function criuAsked(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  recriu: readonly RecriuOption[],
  read: ReadConfig,
): string {
  const posixlyCorrect = env.POSIXLY_CORRECT !== undefined;
  // A word that recriu does not know is passed over as a switch.
  const beyond = (name: string) => flag(name, {}, "");
  const parsed = parseWords(argv, { recriu, posixlyCorrect, beyond });
  const settled = settingsFrom(parsed.ok ? parsed.recriuOptions : [], env, read);
  const found = findCriu(settled.ok ? settled.settings.criu : undefined, env);
  return found.ok ? found.path : "";
}

function settingsFrom(
  parsed: readonly ParsedOption[],
  env: Readonly<Record<string, string | undefined>>,
  read: ReadConfig,
): ReturnType<typeof resolveSettings> & { ignored?: string } {
  if (read !== readConfigFile) return resolveSettings(parsed, env, read(settingsFile));
  const { text, problem, ignored } = readSettingsFile();
  if (problem !== undefined) return { ok: false, problem };
  return { ...resolveSettings(parsed, env, text), ...(ignored !== undefined && { ignored }) };
}

/** Options that CRIU does not take together. */
function contradiction(draft: Draft): string | undefined {
  if (draft.execCmd !== undefined && draft.detached) {
    return "--exec-cmd and --restore-detached exclude each other";
  }
  if (draft.sibling && !draft.detached) return "--restore-sibling needs --restore-detached";
  if (draft.emptyNs.length > 0 && draft.joinNs.some(({ ns }) => ns === "net")) {
    return "--empty-ns net and --join-ns net exclude each other";
  }
  return undefined;
}

/** A word too many; most often it is the value of an option that takes one only after `=`. */
function excessProblem(
  word: string,
  argv: readonly string[],
  options: readonly ParsedOption[],
  recriu: readonly RecriuOption[],
): string {
  const before = argv[argv.indexOf(word) - 1];
  const option = options.find(
    ({ argv: [typed], value }) => typed === before && value === undefined,
  );
  const definition = recriu.find(({ name }) => name === option?.name) ?? byName(option?.name ?? "");
  const hint = definition?.arg === "optional" ? `; is --${definition.name}=${word} meant?` : "";
  return `restore takes no argument '${word}'${hint}`;
}
