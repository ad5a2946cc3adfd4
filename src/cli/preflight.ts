import { again } from "../checks/again.ts";
import { type RecriuOption, recriuOptions } from "../criu/index.ts";
import { isArchive } from "../image/archive.ts";
import { STDIN } from "../image/archive-source.ts";
import type { Preflight } from "../plan/preflight.ts";
import { reportOf, reportOfNothing } from "../report/json.ts";
import { printFindings, printLast, printSummary } from "../report/findings.ts";
import { scriptAsked, scriptOf } from "../report/script.ts";
import { refused, said, type Told } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import type { Command } from "./command.ts";
import { sh } from "../sys/shell.ts";
import { begin, beginArchive, blockedExit } from "./look.ts";
import { withOperand } from "./operand.ts";
import { criuHelp, recriuArgs } from "./request.ts";

export const appendix = criuHelp;

/** What a restore's options change here; the others are taken, as the words of a restore may be typed behind `preflight`. */
const shared = new Set([
  "fix",
  "ignore",
  "sched-prio",
  "allow-grown",
  "use-packed",
  "criu",
  "json",
  "untrusted",
  "allow-write",
  "verify-key",
  "require-signature",
  "isolate",
  "isolate-dir",
  "replace-ip",
  "map-path",
]);
const own: readonly RecriuOption[] = [
  { name: "only", arg: "required", value: "ID,…", help: "run these checks only" },
  { name: "script", arg: "none", help: "print all that is to be typed before, as a shell script" },
  { name: "quiet", short: "q", arg: "none", help: "only the last line" },
  { name: "verbose", short: "v", arg: "optional", help: "each finding in full, however many" },
  { name: "effects", arg: "none", help: "list all that the restore would do to this machine" },
  { name: "list", arg: "none", help: "list the checks" },
];

const options = [...recriuOptions, ...own];

export const command: Command = {
  meta: {
    name: "preflight",
    description:
      "Name everything that would break the restore, in one pass. Changes nothing. CHECKPOINT is a directory (as -D DIR), an archive that Podman exported, or a pack.",
  },
  args: recriuArgs(options.filter((option) => own.includes(option) || shared.has(option.name))),
  async run({ rawArgs }): Promise<Told> {
    if (rawArgs.includes("--list")) {
      const { checkList, checksDocument } = await import("../report/pages.ts");
      const asJson = rawArgs.includes("--json");
      return {
        exit: exitCode.ok,
        ...(asJson ? { json: checksDocument() } : { text: checkList() }),
      };
    }
    const [option, named = "", ...others] = withOperand(rawArgs, options);
    const archive = option === "-D" && (named === STDIN || isArchive(named)) ? named : undefined;
    const started =
      archive === undefined
        ? await begin("preflight", rawArgs, options)
        : await beginArchive("preflight", archive, others, options);
    if (!started.ok)
      return {
        exit: started.exit,
        ...(rawArgs.includes("--json") && { json: reportOfNothing("", started) }),
      };
    const { preflight } = started;
    const { json, onCommandLine } = preflight.settings;
    const script = onCommandLine.has("script");
    if (script && json)
      return refused("preflight", exitCode.usage, "--script and --json both write to stdout");
    if (!json)
      await tellOf(preflight, archive === undefined || preflight.request.again !== undefined);
    const blocked = blockedExit(preflight);
    const { exit, lines } =
      blocked === undefined ? await repairAsked(preflight, archive) : { exit: blocked };
    return {
      exit,
      ...(json && { json: reportOf(preflight, undefined, exit) }),
      ...(script && { text: scriptOf(preflight) }),
      ...(lines && { lines }),
    };
  },
};

/** What people read. Of a container's archive, which its engine restores, and of a pack without memory nothing is said of what to type next. */
async function tellOf(preflight: Preflight, isRestorable: boolean): Promise<void> {
  const { findings, plan, effects, settings } = preflight;
  const asked = settings.onCommandLine;
  const leftOut = findings.some(({ id }) => id === "pages-left-out");
  const next =
    !isRestorable || leftOut || plan.outcome === "unchecked"
      ? undefined
      : plan.outcome === "blocked"
        ? scriptAsked(preflight)
        : sh`recriu restore ${again(preflight)}`;
  if (asked.has("script")) return;
  if (asked.has("quiet")) return printLast(preflight, next);
  printFindings(findings, plan, asked.has("verbose"));
  printSummary(preflight, next);
  if (effects !== undefined && asked.has("effects"))
    (await import("../report/effects.ts")).printEffects(effects);
}

/** Carry the repairs out, if that is asked for. */
async function repairAsked(
  { plan, settings, checkpoint }: Preflight,
  archive?: string,
): Promise<Told> {
  if (plan.repairs.length === 0) return { exit: exitCode.ok };
  if (!settings.onCommandLine.has("fix")) return { exit: exitCode.repairable };
  if (archive !== undefined && plan.repairs.some(({ action }) => action === "file"))
    return refused(
      "preflight",
      exitCode.usage,
      `files that are to be put back are in ${archive}: unpack it (tar -xf), and look at what is in it`,
    );
  const { beginChanges, carryOut } = await import("../repair/index.ts");
  using changes = beginChanges(checkpoint.dir);
  const problem = carryOut(
    { ...plan, edits: [], settings: [], leftovers: [] },
    checkpoint,
    changes,
  );
  if (problem !== undefined) return refused("preflight", exitCode.blocked, problem);
  changes.keep();
  return { exit: exitCode.ok, lines: [said`repaired`] };
}
