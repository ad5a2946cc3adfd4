/** What `restore` does once its words are understood: findings, CRIU, verdict, each told. */
import type { Settings, Request } from "../criu/index.ts";
import type { UnpackedPack } from "../pack/unpack.ts";
import { printJson, reportOf, reportOfNothing } from "../report/json.ts";
import { exitCode } from "../report/outcome.ts";
import { leaveLog } from "../report/log-file.ts";
import type { ProgressReport } from "../report/progress.ts";
import { printFindings, printSummary } from "../report/findings.ts";
import { causeOf, reasonBlock } from "../report/reasons.ts";
import { scriptAsked } from "../report/script.ts";
import { printOutcome, printVerdict } from "../report/text.ts";
import { countOf } from "../checks/grouped.ts";
import { mayEnd } from "../checks/index.ts";
import { said, tellLines } from "../report/told.ts";
import { startAgain } from "../restore/renumber.ts";
import type { Preflight } from "../plan/preflight.ts";
import { hasConnections } from "../verify/index.ts";
import type { HeldCriu } from "../restore/hold.ts";
import { restore } from "../restore/index.ts";
import { prepare, type Prepared } from "../restore/prepare.ts";
import { sh } from "../sys/shell.ts";
import { blockedExit, look, notReached } from "./look.ts";

/** How it ended. `isClean`: nothing was restored, nothing is left of it, and no signal has ended it. */
export interface Came {
  readonly exit: number;
  readonly isClean: boolean;
}

/** What was asked for. `pack`: the images were unpacked from one, and agree with its manifest. */
export interface Asked {
  readonly request: Request;
  readonly settings: Settings;
  readonly pack?: Pick<UnpackedPack, "seal" | "dropPages">;
}

/** Restore with a CRIU that is held already, if one is. */
export async function restoreAsked(
  asked: Asked,
  held: HeldCriu | undefined,
  progress: ProgressReport | undefined,
): Promise<Came> {
  const { request, settings } = asked;
  const { json, dryRun } = settings;
  const { imagesDir, logFile: log } = request;
  const images = request.typed.get(imagesDir) ?? imagesDir;
  const endHeld = async () => held?.[Symbol.asyncDispose]();
  const caller = {
    forCriu: false,
    look: () => look(asked, true, asked.pack?.seal),
    asks: () => true,
    reaches: () => true,
    makeRoom: endHeld,
    again: dryRun ? undefined : () => startAgain(request),
  };
  let prepared = await prepare(request, settings, caller);
  const going = held?.state === "held" && needsNothing(prepared, held) ? held : undefined;
  if (held !== undefined && going === undefined) {
    await endHeld();
    // That it was there may have been in the way of what the images need.
    if (prepared.kind === "blocked") prepared = await prepare(request, settings, caller);
  }
  if (settings.waitSeconds > 0 && !dryRun)
    prepared = await waited(prepared, settings.waitSeconds, () =>
      prepare(request, settings, caller),
    );
  if (prepared.kind === "aside" || prepared.kind === "refused") {
    const problem = prepared.kind === "aside" ? prepared.why : prepared.problem;
    const why = notReached("restore", (await archived(request.imagesDir)) ?? problem);
    if (json) printJson(reportOfNothing(images, why));
    return { exit: why.exit, isClean: true };
  }
  const { preflight } = prepared;
  const blocked = blockedExit(preflight);
  const print = () => {
    printFindings(
      preflight.findings.filter(
        (finding) => dryRun || blocked !== undefined || finding.severity !== "info",
      ),
      preflight.plan,
      false,
    );
    printSummary(preflight, blocked === undefined ? undefined : scriptAsked(preflight));
  };
  if (!json) print();
  const unrehearsed = settings.rehearse ? notRehearsed(preflight) : undefined;
  if (blocked === undefined && unrehearsed !== undefined) {
    const why = notReached("restore", `--rehearse: ${unrehearsed}`, exitCode.blocked);
    if (json) printJson(reportOf(preflight, undefined, why.exit));
    return { exit: why.exit, isClean: true };
  }
  if (blocked !== undefined && !dryRun) {
    const cause = causeOf(preflight.plan.unanswered);
    leaveLog(log, reasonBlock({ by: "recriu", images, log, cause }, print));
  }
  if (blocked !== undefined || dryRun) {
    if (json) printJson(reportOf(preflight, undefined, blocked ?? exitCode.ok));
    return { exit: blocked ?? exitCode.ok, isClean: blocked !== undefined && !dryRun };
  }
  const onVerdict: Parameters<typeof restore>[1] = (verdict) => {
    if (!json) printVerdict(verdict);
    // What `criu lazy-pages` serves it reads as it is asked for.
    if (!request.lazyPages) asked.pack?.dropPages();
  };
  const outcome = await restore(preflight, onVerdict, progress, going);
  if (outcome.failure !== null) {
    const cause = outcome.failure.line;
    const block = reasonBlock({ by: "recriu", images, log, cause }, () => printOutcome(outcome));
    if (outcome.run === null) leaveLog(log, block);
  }
  if (json) printJson(reportOf(preflight, outcome, outcome.exit));
  else {
    if (outcome.failure !== null && outcome.verdict !== null) printVerdict(outcome.verdict);
    printOutcome(outcome);
    // Of a CRIU that got nowhere, what was told of before may be the reason.
    if (outcome.failure !== null && outcome.failure.at.length > 0)
      printFindings(preflight.findings.filter(({ severity }) => severity === "warning"));
  }
  const { exit, failure } = outcome;
  return { exit, isClean: failure !== null && failure.left.length === 0 && exit <= 128 };
}

/** Why a rehearsal would not be without consequences, in words. */
function notRehearsed({ checkpoint, request, settings }: Preflight): string | undefined {
  if (hasConnections(checkpoint))
    return "the tree has TCP connections, which a tree that is discarded would end at their other ends";
  if (request.lazyPages || request.stream)
    return "what --lazy-pages or --stream gives comes once, and would be used up";
  if (request.sibling || request.execCmd !== undefined)
    return "--restore-sibling and --exec-cmd are not rehearsed";
  return settings.verify === "off" ? "with --verify=off nothing would be known" : undefined;
}

/** What restores an archive: its container's engine. */
async function archived(file: string): Promise<string | undefined> {
  const { isArchive, openArchive } = await import("../image/archive.ts");
  if (!isArchive(file)) return undefined;
  const opened = await openArchive(file);
  if (!opened.ok) return `${file}: ${opened.problem}`;
  const { archive } = opened;
  archive.dispose();
  const { isKubelets } = await import("../runtime/exported.ts");
  return isKubelets(archive.texts)
    ? `${file} is a container's checkpoint that a kubelet has made: a pod restores it whose image is made of it (CRI-O, containerd 2.1)`
    : `${file} is a container's checkpoint, which its engine restores: ${sh`podman container restore --import=${[file]}`}`;
}

/** Whether a CRIU that was started without a plan can carry this one out. */
const needsNothing = (prepared: Prepared, { path }: HeldCriu): boolean =>
  prepared.kind === "ready" &&
  prepared.preflight.criu?.path === path &&
  prepared.preflight.plan.options.length === 0 &&
  prepared.preflight.plan.environment.length === 0;

/** Of what is waited for so many are named. */
const FEW = 8;
/** Between two looks, in ms. */
const BETWEEN = 500;

/** The same once what blocks, and may end by itself, has ended; or as it is when the time is over, or something else blocks. */
async function waited(
  first: Prepared,
  seconds: number,
  again: () => Promise<Prepared>,
): Promise<Prepared> {
  const end = performance.now() + seconds * 1000;
  let told = "";
  for (let prepared = first; ; prepared = await again()) {
    const left = end - performance.now();
    if (prepared.kind !== "blocked" || !mayEnd(prepared.blockers) || left <= 0) return prepared;
    const { blockers } = prepared;
    const few = blockers.slice(0, FEW).map(({ id, message }) => `${id}: ${message}`);
    const more = countOf(blockers) - few.length;
    const names = `${few.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
    if (names !== told) tellLines([said`waiting up to ${Math.ceil(left / 1000)} s for ${names}`]);
    told = names;
    await Bun.sleep(Math.min(BETWEEN, left));
  }
}
