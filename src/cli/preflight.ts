import { type OwnOption, ownOptions } from "../criu/index.ts";
import { catalogue } from "../checks/index.ts";
import { isArchive } from "../image/archive.ts";
import type { Preflight } from "../plan/preflight.ts";
import { beginChanges, carryOut } from "../repair/index.ts";
import { printEffects } from "../report/effects.ts";
import { printJson, reportOf, reportOfNothing } from "../report/json.ts";
import { printFindings, printSummary } from "../report/text.ts";
import { harmless, line, printText } from "../report/terminal.ts";
import { exitCode } from "../report/outcome.ts";
import type { Command } from "./command.ts";
import { begin, beginArchive, blockedExit } from "./look.ts";
import { criuHelp, ownArgs } from "./request.ts";

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
const sharedOptions = ownOptions.filter(({ name }) => shared.has(name));
const options: readonly OwnOption[] = [
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
  args: ownArgs(options),
  async run({ rawArgs }): Promise<number> {
    if (rawArgs.includes("--list")) {
      printText(catalogue.map(({ id, title }) => `${id.padEnd(22)} ${title}`).join("\n"));
      return exitCode.ok;
    }
    const [first = "", ...others] = rawArgs;
    const started =
      !first.startsWith("-") && isArchive(first)
        ? await beginArchive("preflight", first, others, options)
        : await begin("preflight", rawArgs, options);
    if (!started.ok) {
      if (rawArgs.includes("--json")) printJson(reportOfNothing("", started));
      return started.exit;
    }
    const { preflight } = started;
    const { json } = preflight.own;
    if (!json) {
      printFindings(preflight.findings);
      printSummary(preflight);
      if (preflight.effects !== undefined && preflight.own.given.has("effects"))
        printEffects(preflight.effects);
    }
    const exit = blockedExit(preflight) ?? repairAsked(preflight);
    if (json) printJson(reportOf(preflight, undefined, exit));
    return exit;
  },
};

/** Carry the repairs out, if that is asked for. Returns the exit code. */
function repairAsked({ plan, own, checkpoint }: Preflight): number {
  if (plan.repairs.length === 0) return exitCode.ok;
  if (!own.given.has("fix")) return exitCode.repairable;
  using changes = beginChanges(checkpoint.dir);
  const problem = carryOut({ ...plan, edits: [], leavings: [] }, checkpoint, changes);
  if (problem !== undefined) {
    line(`recriu preflight: ${harmless(problem)}`);
    return exitCode.blocked;
  }
  changes.keep();
  line("repaired");
  return exitCode.ok;
}
