/** What `restore` and `preflight` share: CRIU's own options beside recriu's, and the findings they lead to. */
import type { ArgsDef } from "citty";
import { criuOptions, type OwnOption, type OwnOptions, requestFrom } from "../criu/index.ts";
import { harmless, line, printText } from "../report/terminal.ts";
import { hashingReport } from "../report/progress.ts";
import { version } from "../report/version.ts";
import { sealOf } from "../image/index.ts";
import { type Preflight, preflight } from "../plan/preflight.ts";
import type { ArchivePreflight } from "../runtime/archive.ts";
import { exitCode } from "../report/outcome.ts";
import { catalogue, imageChecks } from "../checks/index.ts";

/** recriu's own options as citty shows them in a help text. */
export function ownArgs(options: readonly OwnOption[]): ArgsDef {
  return Object.fromEntries(
    options.map(({ name, arg, value, help }) => [
      name,
      arg === "none"
        ? { type: "boolean", description: help }
        : {
            type: "string",
            description: help,
            ...(value === undefined ? {} : { valueHint: value }),
          },
    ]),
  );
}

/** CRIU's options, as the end of a help text. */
export function criuHelp(): string {
  const rows = criuOptions
    .filter((option) => option.restore)
    .map((option) => {
      const { short, name, arg, help } = option;
      const value = { required: ` ${option.value}`, optional: `[=${option.value}]`, none: "" }[arg];
      return `${`  ${short ? `-${short}, ` : "    "}--${name}${value}`.padEnd(33)} ${help}`;
    });
  return `CRIU's OPTIONS (with CRIU's meaning)\n\n${rows.join("\n")}\n`;
}

export type Started = { ok: true; preflight: Preflight } | { ok: false; exit: number };

/** Understand the words, read the images, run the checks. What cannot even be read is said here. */
export async function begin(
  command: string,
  words: readonly string[],
  options: readonly OwnOption[],
): Promise<Started> {
  const understood = requestFrom(words, process.env, options);
  if (understood.ok) {
    const stranger = unknownCheck(understood.own);
    if (stranger !== undefined) {
      line(`recriu ${command}: there is no check ${harmless(stranger)}; recriu explain lists them`);
      return { ok: false, exit: exitCode.usage };
    }
    const hashing = hashingReport();
    const seal = () => sealOf(understood.request.imagesDir, false, hashing.tell);
    const result = await preflight(understood.request, understood.own, undefined, seal);
    hashing.end();
    return reached(command, result);
  }
  if (understood.asked === undefined) {
    line(`recriu ${command}: ${harmless(understood.problem)}`);
    return { ok: false, exit: exitCode.usage };
  }
  printText(understood.asked === "help" ? criuHelp() : `recriu ${version}`);
  return { ok: false, exit: exitCode.ok };
}

/** The same for an archive that Podman exported. */
export async function beginArchive(
  command: string,
  file: string,
  words: readonly string[],
  options: readonly OwnOption[],
): Promise<Started> {
  const { preflightArchive } = await import("../runtime/archive.ts");
  return reached(command, await preflightArchive(file, words, options));
}

function reached(command: string, result: ArchivePreflight): Started {
  if (result.ok) return result;
  const said = "fault" in result ? `${result.fault.file}: ${result.fault.problem}` : result.problem;
  line(`recriu ${command}: ${harmless(said)}`);
  return { ok: false, exit: exitCode.usage };
}

/** A name in --only or --ignore that no check has. */
function unknownCheck(own: OwnOptions): string | undefined {
  const known = new Set([...catalogue.map(({ id }) => id), "check-crashed", "all"]);
  const named = [...own.ignore, ...(own.given.get("only")?.split(",") ?? [])];
  return named.find((id) => !known.has(id));
}

/** The exit code of findings that block, or undefined when none does. */
export function blockedExit({ plan }: Preflight): number | undefined {
  if (plan.outcome !== "blocked") return undefined;
  return plan.unanswered.some((finding) => imageChecks.has(finding.id))
    ? exitCode.images
    : exitCode.blocked;
}
