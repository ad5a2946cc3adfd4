/** What both ways to a restore share: it is prepared, and CRIU is watched over. */
import {
  configLines,
  knows,
  isBeyondKnown,
  NEWEST_KNOWN,
  type Settings,
  type Request,
  withheld,
} from "../criu/index.ts";
import { preflight } from "../plan/preflight.ts";
import { chosen, printFindings, printSummary } from "../report/findings.ts";
import { causeOf } from "../report/reasons.ts";
import { printFailure } from "../report/text.ts";
import { type Blocked, prepare } from "../restore/prepare.ts";
import { crErrno } from "./cr-errno.ts";
import { type Criu, give, say, stepAside } from "./hand.ts";
import { front } from "../sys/front.ts";
import { inRuntimesWords } from "./runtimes-words.ts";
import { watch } from "./watch.ts";

interface Guarded {
  request: Request;
  settings: Settings;
  /** The words that the request was read from. */
  words: readonly string[];
  /** A container runtime asks. */
  runtime?: Runtime;
}

/** A container runtime: CRIU reads its request from a socket and puts that over its command line. */
interface Runtime {
  /** The request settles this option, whatever the command line says. */
  settles: (option: string) => boolean;
  /** The text of the configuration file that the request names, and which goes over it; ends in a newline if at all. */
  config: string;
  /** Have the request name another one. */
  rename: (config: string) => boolean;
}

/** What is said of a restore that is refused: the cause in a line, all of it, and CRIU's errno. */
export interface Refusal {
  cause: string;
  print: () => void;
  errno?: number | undefined;
}

/** Prepare the restore and become `found`, or a CRIU that can do it where that cannot; or have `refuse` say why not. */
export async function guard(
  found: Criu,
  { request, settings, words, runtime }: Guarded,
  refuse: (refusal: Refusal) => number,
): Promise<number> {
  const refuseBecause = (cause: string, left: string[] = []) =>
    refuse({
      cause,
      print: () => printFailure({ line: cause, explanation: undefined, left, at: [] }),
    });
  const prepared = await prepare(request, settings, {
    forCriu: true,
    unseen: request.stream
      ? "--stream: the images are not here"
      : request.lazyPages
        ? "--lazy-pages: the memory is not here"
        : undefined,
    look: () => preflight(request, settings, { chooses: true }),
    asks: (version) => runtime === undefined || knows(version, "scriptsBesideRpc", false),
    // What the request settles is changed where it cannot: in a configuration file that goes over it, with the gate's script.
    reaches: (option, gate) => gate || runtime?.settles(option) !== true,
    again: () => front?.forkAgain("numbers"),
  });
  if (front?.isGone() === true) return 1; // CRIU will not run
  if (prepared.kind === "aside") return stepAside(found, prepared.why);
  if (prepared.kind === "refused") return refuseBecause(prepared.problem);
  if (prepared.kind === "blocked") {
    const { preflight: looked } = prepared;
    const blockers =
      runtime === undefined ? prepared.blockers : inRuntimesWords(prepared.blockers, request);
    return refuse({
      cause: causeOf(blockers),
      print: () => printBlocked({ ...prepared, blockers }),
      errno: crErrno(blockers, looked.checkpoint.root?.pid),
    });
  }
  const { plan, criu: real, rejected } = prepared.preflight;
  const criu = { ...found, path: real?.path ?? found.path };
  const version = real?.version;
  if (version !== undefined && isBeyondKnown(version) && process.env.RECRIU_DEBUG === "1")
    await say(`recriu: CRIU ${version} is newer than ${NEWEST_KNOWN}, the last that is known`);

  const told = [
    ...rejected.map((each) => `recriu: criu ${chosen(each, real)}`),
    ...prepared.preflight.findings
      .filter(({ id }) => id === "option-unknown")
      .map(({ message }) => `recriu: ${message}`),
  ];
  if (runtime === undefined) for (const note of told) await say(note);

  const changed = plan.edits.length > 0 || request.autoDedup;
  const over = runtime && (changed || plan.options.some(runtime.settles));
  // With edited images, the directory that was CRIU's for its log stays that.
  const workDir = plan.edits.length > 0 ? `work-dir "${request.workDir}"\n` : "";
  const lines = `${configLines([...plan.options, ...withheld(request)])}${workDir}`;
  const watched = {
    words,
    exec: found.exec,
    ...(over && { config: `${runtime.config}${lines}` }),
    forRuntime: runtime !== undefined,
    notes: runtime === undefined ? [] : [...criu.notes, ...told],
  };
  const refused = await watch(prepared, watched, ({ images, script, config }) => {
    if (over) {
      if (config === undefined || !runtime.rename(config))
        return "the request of the runtime cannot be changed";
      return give(criu, [], [], plan.environment);
    }
    const asked = script === undefined ? [] : ["--action-script", script];
    const instead =
      images === undefined ? [] : [`--images-dir=${images}`, `--work-dir=${request.workDir}`];
    const last = [...instead, ...withheld(request)];
    return give(criu, [...plan.options, ...asked], last, plan.environment);
  });
  return refused === undefined ? 0 : refuseBecause(refused.problem, refused.left);
}

function printBlocked({ preflight: of, blockers }: Blocked): void {
  printFindings(blockers);
  printSummary({
    ...of,
    findings: [...blockers, ...of.findings.filter(({ severity }) => severity !== "blocker")],
    plan: {
      ...of.plan,
      outcome: "blocked",
      unanswered: [...blockers],
      repairs: [],
      edits: [],
      options: [],
      environment: [],
    },
  });
}
