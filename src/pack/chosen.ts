/** What a pack adds to the words of its restore: options that it was packed with, and the CRIU that came along. */
import { mustBeSeen, parseWords, recriuOptions, type Settings } from "../criu/index.ts";
import { type Line, said } from "../report/told.ts";
import { typedWord } from "../sys/shell.ts";

/**
 * The options that a pack may choose: they say how the tree is brought back. Those that name a program or a file of this
 * machine to be run or written, and those that say what is checked and believed, are the user's.
 */
const chooses = new Set([
  "allow-uprobes",
  "cgroup-root",
  "display-stats",
  "empty-ns",
  "enable-external-masters",
  "enable-external-sharing",
  "enable-fs",
  "evasive-devices",
  "ext-mount-map",
  "ext-unix-sk",
  "external",
  "file-locks",
  "force-irmap",
  "isolate",
  "isolate-dir",
  "leave-stopped",
  "link-remap",
  "lsm-mount-context",
  "lsm-profile",
  "manage-cgroups",
  "map-path",
  "mntns-compat-mode",
  "network-lock",
  "replace-ip",
  "restore-detached",
  "root",
  "sched-prio",
  "settle",
  "shell-job",
  "skip-in-flight",
  "skip-mnt",
  "stall",
  "tcp-close",
  "tcp-established",
  "unprivileged",
  "veth-pair",
  "wait",
  "weak-sysctls",
]);

/** The words that a pack may choose, and those that it may not; or why they are none. */
function optionsOf(
  words: readonly string[],
): { readonly taken: readonly string[]; readonly left: readonly string[] } | string {
  const parsed = parseWords(words, { recriu: recriuOptions });
  if (!parsed.ok) return parsed.problem;
  if (parsed.operands.length > 0) return `${parsed.operands[0]} is no option`;
  const options = [...parsed.options, ...parsed.recriuOptions];
  // The members of a cluster (`-ds`) have their words in common.
  const left = new Set(options.filter(({ name }) => !chooses.has(name)).map(({ argv }) => argv));
  const taken = new Set(options.map(({ argv }) => argv).filter((argv) => !left.has(argv)));
  return { taken: [...taken].flat(), left: [...left].flat() };
}

/**
 * The words before the user's own, of which the last one counts, and what is to be told of them; or what is wrong with
 * them. `criu`: the one that came along.
 */
export function chosenBy(
  options: readonly string[],
  criu: string | undefined,
  settings: Settings,
): { readonly words: readonly string[]; readonly told: readonly Line[] } | string {
  const parsed = optionsOf(options);
  if (typeof parsed === "string") return parsed;
  const namesCriu = settings.onCommandLine.has("criu") || (process.env.RECRIU_CRIU ?? "") !== "";
  const brought = criu === undefined || namesCriu ? [] : [`--criu=${criu}`];
  const tell = (text: string, words: readonly string[]): Line[] =>
    words.length === 0
      ? []
      : [said`${text}: ${words.map((word) => typedWord(word) ?? "…").join(" ")}`];
  // Neither stands in the seal.
  const demand = mustBeSeen(settings);
  if (demand !== undefined)
    return {
      words: [],
      told: tell(`${demand}, so not taken from the pack`, [...options, ...brought]),
    };
  return {
    words: [...parsed.taken, ...brought],
    told: [
      ...tell("options of the pack", parsed.taken),
      ...tell("not taken from the pack, to be typed where it is wanted", parsed.left),
    ],
  };
}
