/** From a request to findings and a plan. Reads images and host; changes nothing. */
import {
  type Criu,
  type Finding,
  leavingHolders,
  leavingsOf,
  pidInUse,
  namespacesOf,
  runChecks,
} from "../checks/index.ts";
import { findCriu, identify, type OwnOptions, type Request, startRefusal } from "../criu/index.ts";
import { readStat } from "../host/processes.ts";
import { type Host, thisHost } from "../host/index.ts";
import { type Checkpoint, type Fault, openCheckpoint, type Seal, sealOf } from "../image/index.ts";
import { type Plan, planFor } from "./index.ts";

export interface Preflight {
  request: Request;
  own: OwnOptions;
  /** The images as the user named them: a directory, or an archive. */
  images: string;
  checkpoint: Checkpoint;
  host: Host;
  criu: Criu | undefined;
  findings: Finding[];
  plan: Plan;
  /** Milliseconds that it took. */
  took: number;
}

export type PreflightResult = { ok: true; preflight: Preflight } | { ok: false; fault: Fault };

/**
 * Run every check against the request's images and this machine. Fails only when there is no images directory. Findings
 * that do not `stand` are left out: what the caller of CRIU sees to itself. A sealed checkpoint is hashed by `seal`.
 * `stays`: this process is there while CRIU restores.
 */
export async function preflight(
  request: Request,
  own: OwnOptions,
  stands: (finding: Finding) => boolean = () => true,
  seal: () => Seal | undefined = () => sealOf(request.imagesDir),
  stays = true,
): Promise<PreflightResult> {
  const start = performance.now();
  const found = findCriu(own.criu, process.env);
  const identity = found.ok ? identify(found.path) : undefined;
  const opened = openCheckpoint(request.imagesDir);
  if (!opened.ok) return opened;
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
      }
    : undefined;
  const contextOn = (machine: Host) => {
    const namespaces = namespacesOf(checkpoint, machine, request);
    return { checkpoint, host: machine, request, own, criu, namespaces, seal: sealed };
  };
  const sealed = seal();
  const only = own.given.get("only")?.split(",") ?? [];
  let context = contextOn(host);
  const check = () => runChecks(context, { only, ignore: own.ignore }).filter(stands);
  let findings = check();
  const taken = findings.some(({ id }) => id === pidInUse.id);
  if (taken && (await haveLeft(leavingHolders(context)))) {
    host = thisHost(stays);
    context = contextOn(host);
    findings = check();
  }
  const plan = planFor(findings, leavingsOf(context), own.fix);
  const took = performance.now() - start;
  const images = checkpoint.dir;
  return {
    ok: true,
    preflight: { request, own, images, checkpoint, host, criu, findings, plan, took },
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
