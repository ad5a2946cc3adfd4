/** What both ways to a restore share: images and machine are looked at, and a watcher is there before CRIU is. */
import type { Finding } from "../checks/index.ts";
import {
  knows,
  isBeyondKnown,
  NEWEST_IMAGES,
  NEWEST_KNOWN,
  type OwnOptions,
  type Request,
  withheld,
} from "../criu/index.ts";
import type { Plan } from "../plan/index.ts";
import { type Preflight, preflight } from "../plan/preflight.ts";
import { printFailure, printFindings, printSummary } from "../report/text.ts";
import { moveAside } from "../restore/aside.ts";
import { MOVED } from "../restore/moved.ts";
import { crErrno } from "./cr-errno.ts";
import { become } from "./given.ts";
import { type Criu, hand, say, stepAside } from "./hand.ts";
import { startWatcher } from "./watcher.ts";

interface Guarded {
  request: Request;
  own: OwnOptions;
  /** The words that the request was read from. */
  words: readonly string[];
  /** CRIU runs action scripts. */
  scripts: (version: string | undefined) => boolean;
  /** A container runtime asks. */
  runtime?: Runtime;
}

/** A container runtime, whose request CRIU reads from a socket and puts over its command line. */
interface Runtime {
  pid: number;
  /** The request settles this option, whatever the command line says. */
  settles: (option: string) => boolean;
  /** The text of the configuration file that the request names, and which goes over it; ends in a newline if at all. */
  config: string;
  /** Have the request name another one. */
  rename: (config: string) => boolean;
}

/** Prepare the restore and become CRIU; or have `refuse` say the block that `print` prints, with CRIU's errno for it. */
export async function guard(
  criu: Criu,
  { request, own, words, scripts, runtime }: Guarded,
  refuse: (print: () => void, errno?: number) => number,
): Promise<number> {
  const refuseBecause = (problem: string, left: string[] = []) =>
    refuse(() => printFailure({ line: problem, explanation: undefined, left, at: [] }));
  // What nobody can look at is not trusted on CRIU's word.
  const aside = (why: string) =>
    own.untrusted ? refuseBecause(`untrusted, and not looked at: ${why}`) : stepAside(criu, why);
  if (request.stream) return aside("--stream: the images are not here");
  if (request.lazyPages) return aside("--lazy-pages: the memory is not here");
  const result = await preflight(request, own);
  if (!result.ok) return aside(`${result.fault.file}: ${result.fault.problem}`);
  const { checkpoint, plan, criu: real } = result.preflight;
  if (!checkpoint.files.has("inventory.img")) return aside(`${checkpoint.dir} holds no images`);
  const kind = checkpoint.inventory?.img_version ?? 0;
  if (kind > NEWEST_IMAGES && knows(real?.version, "compressed", false))
    return aside(
      `images of version ${kind} are not known here, but may be to CRIU ${real?.version}`,
    );

  moveAside(checkpoint, () => become("/proc/self/exe", criu.given, [], [`${MOVED}=1`]));
  if (plan.unanswered.length > 0)
    return refuse(
      () => printRefusal(result.preflight, plan.unanswered),
      crErrno(plan.unanswered, checkpoint.root?.pid),
    );
  if (
    real?.version !== undefined &&
    isBeyondKnown(real.version) &&
    process.env.RECRIU_DEBUG === "1"
  )
    await say(`recriu: CRIU ${real.version} is newer than ${NEWEST_KNOWN}, the last that is known`);
  const gate = scripts(real?.version);
  // What the request settles is changed where it cannot: in the configuration file that goes over it.
  const changed = plan.edits.length > 0 || request.autoDedup;
  const over = runtime && (changed || plan.options.some(runtime.settles));
  if (over && !gate)
    return refuseBecause(`CRIU ${real?.version} cannot be told otherwise than its caller asks`);

  const watcher = startWatcher({
    words: [...plan.options, ...words],
    plan,
    own,
    gate,
    ...(over && { config: `${runtime.config}${configLines(request, plan)}` }),
    runtime: runtime?.pid,
    notes: runtime === undefined ? [] : criu.notes,
    pid: process.pid,
  });
  if (!watcher.ok) return refuseBecause(watcher.problem, watcher.left);
  const { images, script, config } = watcher;
  if (over) {
    if (config === undefined || !runtime.rename(config))
      return refuseBecause("the request of the runtime cannot be changed");
    return hand(criu, [], [], plan.environment);
  }
  const asked = script === undefined ? [] : ["--action-script", script];
  const instead =
    images === undefined ? [] : [`--images-dir=${images}`, `--work-dir=${request.workDir}`];
  return hand(
    criu,
    [...plan.options, ...asked],
    [...instead, ...withheld(request)],
    plan.environment,
  );
}

/** The plan in a configuration file. With edited images, the directory that was CRIU's for its log stays that. */
const configLines = (request: Request, { options, edits }: Plan): string =>
  [
    ...[...options, ...withheld(request)].map((option) => option.slice(2)),
    ...(edits.length > 0 ? [`work-dir "${request.workDir}"`] : []),
  ]
    .map((text) => `${text}\n`)
    .join("");

function printRefusal(of: Preflight, unanswered: Finding[]): void {
  printFindings(unanswered);
  printSummary({
    ...of,
    plan: { ...of.plan, outcome: "blocked", repairs: [], edits: [], options: [], environment: [] },
  });
}
