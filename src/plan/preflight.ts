/** From a request to findings and a plan. Reads images and host; changes nothing. */
import { type Criu, type Finding, namespacesOf, runChecks } from "../checks/index.ts";
import { findCriu, type OwnOptions, type Request, startRefusal, versionOf } from "../criu/index.ts";
import { type Host, thisHost } from "../host/index.ts";
import { type Checkpoint, type Fault, openCheckpoint } from "../image/index.ts";
import { type Plan, planFor } from "./index.ts";

export interface Preflight {
  request: Request;
  own: OwnOptions;
  checkpoint: Checkpoint;
  host: Host;
  criu: Criu | undefined;
  findings: Finding[];
  plan: Plan;
  /** Milliseconds that it took. */
  took: number;
}

export type PreflightResult = { ok: true; preflight: Preflight } | { ok: false; fault: Fault };

/** Run every check against the request's images and this machine. Fails only when there is no images directory. */
export function preflight(request: Request, own: OwnOptions): PreflightResult {
  const start = performance.now();
  const opened = openCheckpoint(request.imagesDir);
  if (!opened.ok) return opened;
  const { checkpoint } = opened;
  const host = thisHost();
  const criu = criuFor(own);
  const findings = runChecks(
    { checkpoint, host, request, criu, namespaces: namespacesOf(checkpoint, host, request) },
    own.ignore,
  );
  return {
    ok: true,
    preflight: {
      request,
      own,
      checkpoint,
      host,
      criu,
      findings,
      plan: planFor(findings, own.fix),
      took: performance.now() - start,
    },
  };
}

function criuFor(own: OwnOptions): Criu | undefined {
  const found = findCriu(own.criu, process.env);
  if (!found.ok) return undefined;
  const { path } = found;
  return { path, version: versionOf(path), startRefusal: () => startRefusal(path) };
}
