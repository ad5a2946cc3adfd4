import { type RecriuOption, recriuOptions } from "../criu/index.ts";
import { isArchive } from "../image/archive.ts";
import type { Preflight } from "../plan/preflight.ts";
import { beginChanges, carryOut } from "../repair/index.ts";
import { printEffects } from "../report/effects.ts";
import { reportOf, reportOfNothing } from "../report/json.ts";
import { checkList } from "../report/pages.ts";
import { printFindings, printSummary } from "../report/text.ts";
import { refused, said, type Told } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import type { Command } from "./command.ts";
import { begin, beginArchive, blockedExit } from "./look.ts";
import { criuHelp, recriuArgs } from "./request.ts";

export const appendix = criuHelp;

const shared = new Set([
  "fix",
  "ignore",
  "sched-prio",
  "allow-grown",
  "criu",
  "json",
  "untrusted",
  "allow-write",
]);
const sharedOptions = recriuOptions.filter(({ name }) => shared.has(name));
const options: readonly RecriuOption[] = [
  ...sharedOptions,
  { name: "only", arg: "required", value: "ID,…", help: "run these checks only" },
  { name: "effects", arg: "none", help: "list all that the restore would do to this machine" },
  { name: "list", arg: "none", help: "list the checks" },
];

export const command: Command = {
  meta: {
    name: "preflight",
    description:
      "Name everything that would break the restore, in one pass. Changes nothing. Instead of -D DIR it takes an archive that Podman exported.",
  },
  args: recriuArgs(options),
  async run({ rawArgs }): Promise<Told> {
    if (rawArgs.includes("--list")) return { exit: exitCode.ok, text: checkList() };
    const [first = "", ...others] = rawArgs;
    const started =
      !first.startsWith("-") && isArchive(first)
        ? await beginArchive("preflight", first, others, options)
        : await begin("preflight", rawArgs, options);
    if (!started.ok)
      return {
        exit: started.exit,
        ...(rawArgs.includes("--json") && { json: reportOfNothing("", started) }),
      };
    const { preflight } = started;
    const { json } = preflight.settings;
    if (!json) {
      printFindings(preflight.findings);
      printSummary(preflight);
      if (preflight.effects !== undefined && preflight.settings.onCommandLine.has("effects"))
        printEffects(preflight.effects);
    }
    const blocked = blockedExit(preflight);
    const { exit, lines } = blocked === undefined ? repairAsked(preflight) : { exit: blocked };
    return {
      exit,
      ...(json && { json: reportOf(preflight, undefined, exit) }),
      ...(lines && { lines }),
    };
  },
};

/** Carry the repairs out, if that is asked for. */
function repairAsked({ plan, settings, checkpoint }: Preflight): Told {
  if (plan.repairs.length === 0) return { exit: exitCode.ok };
  if (!settings.onCommandLine.has("fix")) return { exit: exitCode.repairable };
  using changes = beginChanges(checkpoint.dir);
  const problem = carryOut({ ...plan, edits: [], leftovers: [] }, checkpoint, changes);
  if (problem !== undefined) return refused("preflight", exitCode.blocked, problem);
  changes.keep();
  return { exit: exitCode.ok, lines: [said`repaired`] };
}
