/** From a request to findings and a plan. Reads images and host; changes nothing. */
import {
  type Criu,
  type Finding,
  type Context,
  crashed,
  type Effect,
  endingHolders,
  leftoversOf,
  namespacesOf,
  runChecks,
} from "../checks/index.ts";
import {
  cpuRefusal,
  featureRefusal,
  findCriu,
  identify,
  type Settings,
  type Request,
  startRefusal,
} from "../criu/index.ts";
import { readStat } from "../host/processes.ts";
import { type Host, thisHost } from "../host/index.ts";
import { type Checkpoint, openCheckpoint, type Seal, sealOf } from "../image/index.ts";
import { type Plan, planFor } from "./index.ts";
import { onlySafely } from "./safe.ts";

export interface Preflight {
  request: Request;
  settings: Settings;
  /** The images as the user named them: a directory, or an archive. */
  images: string;
  checkpoint: Checkpoint;
  host: Host;
  criu: Criu | undefined;
  findings: Finding[];
  /** All that the restore would do to this machine, where that was asked. */
  effects: readonly Effect[] | undefined;
  plan: Plan;
  /** Milliseconds that it took. */
  tookMs: number;
}

export type PreflightResult = { ok: true; preflight: Preflight } | { ok: false; problem: string };

/**
 * Run every check against the request's images and this machine. Fails only when there is no images directory. Findings
 * that do not `stand` are left out: what the caller of CRIU sees to itself. A sealed checkpoint is hashed by `seal`. Under a
 * runtime `bundle` is what its configuration grants the container; of an archive `exported` is what it says of itself. `stays`: this process is there while CRIU restores.
 */
export async function preflight(
  request: Request,
  settings: Settings,
  stands: (finding: Finding) => boolean = () => true,
  seal: () => Seal | undefined = () => sealOf(request.imagesDir),
  { bundle, exported, pagesUnread }: Pick<Context, "bundle" | "exported" | "pagesUnread"> = {},
  stays = true,
): Promise<PreflightResult> {
  const start = performance.now();
  const found = findCriu(settings.criu, process.env);
  const identity = found.ok ? identify(found.path) : undefined;
  const opened = openCheckpoint(request.imagesDir);
  if (!opened.ok) {
    const { file, problem } = opened.fault;
    return { ok: false, problem: `${file}: ${problem}` };
  }
  const { checkpoint } = opened;
  let host = thisHost(stays);
  // While CRIU starts to say which one it is, what takes longest to read is read.
  checkpoint.readEverything();
  void host.processes;
  const criu: Criu | undefined = found.ok
    ? {
        path: found.path,
        ...(await identity!),
        startRefusal: () => startRefusal(found.path),
        featureRefusal: (feature) => featureRefusal(found.path, feature),
        cpuRefusal: (images) => cpuRefusal(found.path, images),
      }
    : undefined;
  const by = settings.from.criu === undefined ? "" : ` (named by ${settings.from.criu})`;
  const noCriu = found.ok ? undefined : `${found.problem}${by}`;
  const { passed } = found;
  const facts = {
    checkpoint,
    request,
    settings,
    criu,
    noCriu,
    passed,
    seal: seal(),
    bundle,
    exported,
    pagesUnread,
  };
  const only = settings.onCommandLine.get("only")?.split(",") ?? [];
  const check = async () => {
    const namespaces = namespacesOf(checkpoint, host, request);
    const looked: Context = { ...facts, host, namespaces };
    const { effects, problems } = await effectsOf(looked, settings);
    const context = { ...looked, effects };
    const all = runChecks(context, { only, ignore: settings.ignore }, problems);
    return { context, effects, findings: all.filter(stands).map(onlySafely) };
  };
  let seen = await check();
  const taken = seen.findings.some(({ id }) => id === "pid-in-use");
  if (taken && (await haveLeft(endingHolders(seen.context)))) {
    host = thisHost(stays);
    seen = await check();
  }
  const { context, effects, findings } = seen;
  const whole = planFor(findings, leftoversOf(context), settings.fix);
  const plan: Plan =
    only.length === 0 || whole.outcome === "blocked" ? whole : { ...whole, outcome: "unchecked" };
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
      findings,
      effects,
      plan,
      tookMs,
    },
  };
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
