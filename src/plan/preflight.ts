/** From a request to findings and a plan. Reads images and host; changes nothing. */
import { countOf } from "../checks/grouped.ts";
import {
  type Criu,
  type Finding,
  type Context,
  crashed,
  type Effect,
  endingHolders,
  leftoversOf,
  notPrivate,
  realOf,
  replacementsFor,
  namespacesOf,
  runChecks,
  settled,
} from "../checks/index.ts";
import { isolationOption } from "../checks/isolated.ts";
import {
  cpuRefusal,
  featureRefusal,
  findCriu,
  identify,
  mustBeSigned,
  otherCrius,
  pathOfNetwork,
  type Settings,
  type Request,
  startRefusal,
  withCompany,
} from "../criu/index.ts";
import { mountHolding } from "../host/mount-places.ts";
import { readStat } from "../host/processes.ts";
import { type Host, thisHost } from "../host/index.ts";
import {
  type Checkpoint,
  openCheckpoint,
  type Seal,
  sealOf,
  type Signed,
  sealWithPaths,
  withPaths,
} from "../image/index.ts";
import { inNetwork } from "../sys/network.ts";
import { type Plan, planFor } from "./index.ts";
import type { Needed, Would } from "./isolate.ts";
import { onlySafely } from "./safe.ts";

export interface Preflight {
  request: Request;
  settings: Settings;
  /** The images as the user named them: a directory, or an archive. */
  images: string;
  checkpoint: Checkpoint;
  host: Host;
  criu: Criu | undefined;
  /** CRIUs that come before it in PATH, and what keeps them from restoring this here. */
  rejected: readonly Rejected[];
  findings: Finding[];
  /** All that the restore would do to this machine, where that was asked. */
  effects: readonly Effect[] | undefined;
  plan: Plan;
  /** Of a plan that is blocked: the call that would restore, if there is one. */
  would: Would | undefined;
  /** The key that a demanded signature is by. */
  signedBy?: string | undefined;
  /** Milliseconds that it took. */
  tookMs: number;
}

/** A CRIU that would be taken if another could not do more. */
export interface Rejected {
  readonly path: string;
  readonly version: string | undefined;
  readonly blockers: readonly Finding[];
}

export type PreflightResult = { ok: true; preflight: Preflight } | { ok: false; problem: string };

interface Looking {
  /** The checkpoint, where it is open already: it is not read twice. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Findings that do not stand are left out: what the caller of CRIU sees to itself. */
  readonly stands?: (finding: Finding) => boolean;
  /** Hashes a sealed checkpoint; `signed`: only one whose manifest that accepts. */
  readonly seal?: (signed?: Signed) => Seal | undefined;
  /** Under a runtime: what its configuration grants the container. */
  readonly bundle?: Context["bundle"];
  /** Of an archive: what it says of itself, and that its page data was not unpacked. */
  readonly exported?: Context["exported"];
  readonly pagesUnread?: Context["pagesUnread"];
  readonly looksOnly?: Context["looksOnly"];
  /** This process is there while CRIU restores. */
  readonly stays?: boolean;
  /** Where the first CRIU found cannot restore the checkpoint, another may: what is found then is whose `criu` is. */
  readonly chooses?: boolean;
  /**
   * It is recriu that was called, which can change the kernel's settings for the restore and give the tree namespaces of its
   * own; those of another caller are the caller's.
   */
  readonly isOwn?: boolean;
}

/** Run every check against the request's images and this machine. Fails only when there is no images directory. */
export async function preflight(
  request: Request,
  settings: Settings,
  looking: Looking = {},
): Promise<PreflightResult> {
  const { stands, bundle, exported, pagesUnread, looksOnly, stays = true } = looking;
  const { chooses = false, isOwn = false } = looking;
  const { seal = (signed) => sealOf(request.imagesDir, { signed }) } = looking;
  const start = performance.now();
  const found = findCriu(settings.criu, process.env);
  const identity = found.ok ? identify(found.path) : undefined;
  const signing = mustBeSigned(settings)
    ? (await import("./signed.ts")).signedBy(settings)
    : undefined;
  if (signing?.ok === false) return signing;
  const sealed = seal(signing?.signed);
  const opened =
    looking.checkpoint === undefined
      ? openCheckpoint(request.imagesDir, sealed?.ok ? sealed.leftOut : undefined)
      : ({ ok: true, checkpoint: looking.checkpoint } as const);
  if (!opened.ok) {
    const { file, problem } = opened.fault;
    return { ok: false, problem: `${file}: ${problem}` };
  }
  const checkpoint = isOwn ? withPaths(opened.checkpoint, settings.mapPath) : opened.checkpoint;
  // In a network that others have made there is what there is.
  const named =
    isOwn && typeof settings.network !== "string" ? pathOfNetwork(settings.network) : undefined;
  if (named !== undefined && inNetwork(named, () => true) === undefined)
    return { ok: false, problem: `${named}: not a network that can be entered (ip netns list)` };
  const problem = isOwn ? dirProblem(request, settings, thisHost(stays)) : undefined;
  if (problem !== undefined) return { ok: false, problem };
  const hostNow = () => thisHost(stays, named);
  let host = hostNow();
  // While CRIU starts to say which one it is, what takes longest to read is read.
  checkpoint.readEverything();
  void host.processes;
  const first = found.ok ? criuAt(found.path, await identity!) : undefined;
  const by = settings.from.criu === undefined ? "" : ` (named by ${settings.from.criu})`;
  const noCriu = found.ok ? undefined : `${found.problem}${by}`;
  const { passed } = found;
  const facts = {
    checkpoint,
    request,
    settings,
    noCriu,
    passed,
    seal: isOwn ? sealWithPaths(sealed, settings.mapPath) : sealed,
    bundle,
    exported,
    pagesUnread,
    looksOnly,
  };
  const only = settings.onCommandLine.get("only")?.split(",") ?? [];
  const check = async (criu: Criu | undefined, { isolate, dirs }: Needed) => {
    const namespaces = namespacesOf(checkpoint, host, request);
    const apart = isolate.filter((kind) => kind !== "net" || named === undefined);
    const own = { isolate: new Set(apart), isolateDirs: dirs, replaced: [] };
    const bare: Context = { ...facts, criu, host, namespaces, ...own };
    const context: Context = { ...bare, replaced: replacementsFor(bare, settings, isOwn) };
    // The same one still: what is computed of a context once is not kept of two.
    const { effects, problems } = await effectsOf(context, settings);
    context.effects = effects;
    const all = runChecks(context, { only, ignore: settings.ignore, stands }, problems);
    const told = all.map(onlySafely);
    const findings = isOwn && settings.fix === "host" ? told.map(settled) : told;
    const plan = planFor(findings, looksOnly ? [] : leftoversOf(context), settings.fix, {
      isolate,
      dirs,
      network: settings.network,
    });
    return { criu, context, effects, findings, plan };
  };
  const asked = !isOwn ? [] : settings.rehearse ? (settings.isolate ?? "auto") : settings.isolate;
  const wanted = asked === undefined || asked === "auto" ? [] : asked;
  const dirs = isOwn ? settings.isolateDirs : [];
  const alone = isOwn && (settings.rehearse || dirs.length > 0);
  const given = { isolate: withCompany(alone ? [...wanted, "mount"] : wanted), dirs };
  let seen = await check(first, given);
  const taken = seen.findings.some(({ id }) => id === "pid-in-use");
  if (taken && (await haveLeft(endingHolders(seen.context)))) {
    host = hostNow();
    seen = await check(first, given);
  }
  const rejected: Rejected[] = [];
  if (chooses && settings.criu === undefined && first !== undefined)
    for (const path of otherCrius(first.path, process.env)) {
      const { unanswered } = seen.plan;
      if (unanswered.length === 0) break;
      const other = await check(criuAt(path, await identify(path)), given);
      if (countOf(other.plan.unanswered) >= countOf(unanswered)) continue;
      rejected.push({ path: seen.criu!.path, version: seen.criu!.version, blockers: unanswered });
      seen = other;
    }
  let would: Would | undefined;
  if (seen.plan.outcome === "blocked" && (asked === undefined || asked === "auto")) {
    const { apartFor, wouldRestore } = await import("./isolate.ts");
    const chosen = seen.criu;
    const isolated = await apartFor(seen, (more) =>
      check(chosen, { ...more, dirs: [...dirs, ...more.dirs] }),
    );
    // Whether a server may lose its clients only a person can say; of a rehearsal it has none.
    const cutsOff =
      isolated !== undefined &&
      !settings.rehearse &&
      (isolated.needed.isolate.includes("net") ||
        isolated.seen.findings.some(
          ({ apart, remedy }) => remedy.kind === "isolate" && apart !== null && !apart.put,
        ));
    if (isolated !== undefined && asked === "auto" && !cutsOff) ({ seen } = isolated);
    else if (isolated !== undefined && isolated.seen.plan.outcome !== "blocked")
      would = wouldRestore(seen.context, isolated.needed);
  }
  const { criu, effects, findings, plan: whole } = seen;
  const plan: Plan =
    only.length === 0 || whole.outcome === "blocked" ? whole : { ...whole, outcome: "unchecked" };
  if (plan.isolate.length > 0 && isNoMount(host))
    return {
      ok: false,
      problem: `${isolationOption(plan.isolate, settings.network)}: / is no mount (chroot(8)), so no mounts below it can be the tree's own; mount --bind DIR DIR before the chroot`,
    };
  const tookMs = performance.now() - start;
  const images = request.typed.get(request.imagesDir) ?? checkpoint.dir;
  return {
    ok: true,
    preflight: {
      request,
      settings,
      images,
      checkpoint,
      host,
      criu,
      rejected,
      findings,
      effects,
      plan,
      would,
      signedBy: sealed?.ok ? sealed.signedBy : undefined,
      tookMs,
    },
  };
}

const criuAt = (path: string, identity: Awaited<ReturnType<typeof identify>>): Criu => ({
  path,
  ...identity,
  startRefusal: () => startRefusal(path),
  featureRefusal: (feature) => featureRefusal(path, feature),
  cpuRefusal: (images) => cpuRefusal(path, images),
});

/** Of what is no mount the mounts below cannot be told from those of others. */
const isNoMount = (host: Host): boolean =>
  mountHolding(host.read("/proc/self/mountinfo") ?? "? ? ? / /", "/") === undefined;

/** Why a directory that was asked for cannot be the tree's own. */
function dirProblem(request: Request, { isolateDirs }: Settings, host: Host): string | undefined {
  const workDir = realOf(host, host.absolute(request.workDir)) ?? "/";
  for (const dir of isolateDirs) {
    const why = notPrivate(dir, host);
    if (why !== undefined) return `--isolate-dir=${dir}: ${why}`;
    if (`${workDir}/`.startsWith(`${dir}/`))
      return `--isolate-dir=${dir}: CRIU's log would be in it, and gone with the tree; -W names another directory for that`;
  }
  return undefined;
}

/** How long, in ms, what ends may take to let go of the tree's numbers. Straight after a dump they are still there. */
const PATIENCE = 1000;

/** Wait until these processes are gone, or the time is over; false where there was nothing to wait for. */
async function haveLeft(pids: readonly number[]): Promise<boolean> {
  const end = performance.now() + PATIENCE;
  while (pids.some((pid) => readStat(pid) !== undefined) && performance.now() < end)
    await Bun.sleep(2);
  return pids.length > 0;
}

/** Nothing of it is loaded unless somebody wants to know. What hostile images break is a finding, as of a check. */
async function effectsOf(
  context: Context,
  settings: Settings,
): Promise<{ effects: readonly Effect[] | undefined; problems: Finding[] }> {
  if (!settings.untrusted && !settings.onCommandLine.has("effects"))
    return { effects: undefined, problems: [] };
  try {
    const { effectsOf: listed } = await import("../checks/effects/index.ts");
    return { effects: listed(context), problems: [] };
  } catch (error) {
    return { effects: undefined, problems: [crashed("effects", error)] };
  }
}
