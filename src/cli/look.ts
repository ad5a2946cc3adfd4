import { catalogue, imageChecks } from "../checks/index.ts";
import {
  type RecriuOption,
  recriuOptions,
  type Request,
  requestFrom,
  type Settings,
} from "../criu/index.ts";
import { type Checkpoint, type Seal, sealOf, unlookedSeal } from "../image/index.ts";
import { type Preflight, preflight, type PreflightResult } from "../plan/preflight.ts";
import type { ArchivePreflight } from "../pack/archive.ts";
import { exitCode } from "../report/outcome.ts";
import { hashingReport } from "../report/progress.ts";
import { refused, tell, tellLines } from "../report/told.ts";
import { errorText } from "../sys/errno.ts";
import { isAbsent, statAt } from "../sys/look.ts";
import { near } from "./near.ts";
import { understand } from "./request.ts";

/** `said`: why there is nothing to report. */
type Started = { ok: true; preflight: Preflight } | { ok: false; exit: number; said: string };

/**
 * Read the images, run the checks. `stays`: this process is there while CRIU restores, else nothing will be restored; `known`: what
 * their seal says.
 */
export async function look(
  { request, settings }: { request: Request; settings: Settings },
  stays: boolean,
  known?: Seal,
): Promise<PreflightResult> {
  const stranger = unknownCheck(settings);
  if (stranger !== undefined) {
    const { id, from } = stranger;
    const problem = `${from}: there is no check ${id}${near(id, ids)}; recriu explain --list has them all`;
    return { ok: false, problem };
  }
  const lost = settings.allowWrite.map(noDirectory).find((problem) => problem !== undefined);
  if (lost !== undefined) return { ok: false, problem: `--allow-write: ${lost}` };
  const hashing = hashingReport();
  const result = await preflight(request, settings, {
    seal: (signed) => known ?? sealOf(request.imagesDir, { hashing: hashing.tell, signed }),
    stays,
    ...(!stays && { looksOnly: true }),
    chooses: true,
    isOwn: true,
  });
  hashing.end();
  return result;
}

/** What a restore without any option would meet here. Of an archive the page data was not unpacked. */
export async function lookAt(
  dir: string,
  archived: boolean,
  checkpoint?: Checkpoint,
): Promise<PreflightResult> {
  const asked = requestFrom(["-D", dir], process.env, recriuOptions);
  if (!asked.ok) return asked;
  return preflight(asked.request, asked.settings, {
    // The images are not hashed for a look; a signature that is demanded is looked at.
    checkpoint,
    seal: (signed) => signed && unlookedSeal(dir, { signed }),
    looksOnly: true,
    ...(archived && { pagesUnread: true }),
  });
}

/** Understand the words, too. What cannot even be read is said here. */
export async function begin(
  command: string,
  words: readonly string[],
  options: readonly RecriuOption[],
): Promise<Started> {
  const asked = understand(command, words, options);
  if (!asked.ok) return { ok: false, exit: tell(asked.told), said: "" };
  return reached(command, await look(asked, false));
}

/** The same for an archive. */
export async function beginArchive(
  command: string,
  file: string,
  words: readonly string[],
  options: readonly RecriuOption[],
): Promise<Started> {
  const { preflightArchive } = await import("../pack/archive.ts");
  return reached(command, await preflightArchive(file, words, options));
}

function reached(command: string, result: ArchivePreflight): Started {
  if (result.ok) {
    if ("told" in result) tellLines(result.told);
    return result;
  }
  const damaged = "damaged" in result && result.damaged;
  return notReached(command, result.problem, damaged ? exitCode.images : exitCode.usage);
}

/** Say why there is nothing to report. */
export const notReached = (
  command: string,
  said: string,
  exit: number = exitCode.usage,
): { ok: false; exit: number; said: string } => ({
  ok: false,
  exit: tell(refused(command, exit, said)),
  said,
});

function noDirectory(path: string): string | undefined {
  const stat = statAt(path);
  if (typeof stat === "number" && !isAbsent(stat))
    return `${path} cannot be looked at: ${errorText(stat)}`;
  return typeof stat !== "number" && stat.isDirectory()
    ? undefined
    : `there is no directory ${path}`;
}

const ids = catalogue.map(({ id }) => id);

/** A name in --only or --ignore that no check has, and which option it stood in. */
function unknownCheck({
  ignore,
  from,
  onCommandLine,
}: Settings): { id: string; from: string } | undefined {
  const checks = new Set([...ids, "check-crashed", "all"]);
  const named = [
    ...ignore.map((id) => ({ id, from: from.ignore ?? "--ignore" })),
    ...(onCommandLine.get("only")?.split(",") ?? []).map((id) => ({ id, from: "--only" })),
  ];
  return named.find(({ id }) => !checks.has(id));
}

/** The exit code of findings that block, or undefined when none does. */
export function blockedExit({ plan }: Preflight): number | undefined {
  if (plan.outcome !== "blocked") return undefined;
  if (plan.unanswered.some(({ id }) => id === "no-checkpoint")) return exitCode.usage;
  return plan.unanswered.some((finding) => imageChecks.has(finding.id))
    ? exitCode.images
    : exitCode.blocked;
}
