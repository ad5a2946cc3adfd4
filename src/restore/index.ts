/** The flow itself: repair, CRIU held at its gate, verdict; and everything taken back when it fails. */
import { constants } from "node:os";
import { errorLines, firstCause, requestFrom, type RunningCriu, startCriu } from "../criu/index.ts";
import { descendantsOf, hasEnded, readStat } from "../host/processes.ts";
import type { Preflight } from "../plan/preflight.ts";
import { carryOut, type Changes } from "../repair/index.ts";
import type { ProgressReport } from "../report/progress.ts";
import { exitCode, type Failure, type Outcome, type Watched } from "../report/outcome.ts";
import { printJournalNote } from "../report/text.ts";
import { becomeSubreaper } from "../sys/process.ts";
import type { LiveTree, Verdict } from "../verify/index.ts";
import { type EndWatch, watchEnds } from "./ends.ts";
import { dedupLater, usedUp } from "./consumed.ts";
import { openGate, pointsFor, POST_RESUME } from "./gate.ts";
import { gatekeeper } from "./gatekeeper.ts";
import type { Held } from "./hold.ts";
import { leavesStopped } from "./job.ts";
import { givenLimits } from "./limits.ts";
import { watch } from "./progress.ts";
import { endHalfMade, supervise, type Supervised } from "./supervise.ts";

/**
 * Carry out a plan that is not blocked, with a CRIU that is `held` for it if there is one. `onVerdict` hears the verdict
 * as soon as the tree may run. Whatever fails, what was carried out is taken back.
 */
export async function restore(
  preflight: Preflight,
  onVerdict: (verdict: Verdict) => void,
  progress: ProgressReport | undefined,
  held?: Held,
): Promise<Outcome> {
  const begun = performance.now();
  const repair = carryOut(preflight.plan, preflight.checkpoint, held?.changes);
  const timing_ms = { repair: performance.now() - begun, criu: 0, verify: 0 };
  const notStarted = async (exit: number, line: string, left: string[]): Promise<Outcome> => {
    progress?.end();
    await held?.drop();
    const failure = { line, explanation: undefined, left, at: [] };
    return { exit, run: null, verdict: null, failure, notes: [], watched: null, timing_ms };
  };
  if (!repair.ok) return notStarted(exitCode.blocked, repair.problem, repair.left);
  const { repaired } = repair;
  printJournalNote(repaired.problem);
  try {
    const outcome = await attempt({ ...preflight, repaired, onVerdict, progress, held });
    if (typeof outcome !== "string")
      return { ...outcome, timing_ms: { ...outcome.timing_ms, repair: timing_ms.repair } };
    return notStarted(exitCode.criuFailed, outcome, repaired.undo());
  } catch (error) {
    return notStarted(exitCode.criuFailed, (error as Error).message, repaired.undo());
  }
}

interface Attempt extends Preflight {
  repaired: Changes;
  onVerdict: (verdict: Verdict) => void;
  progress: ProgressReport | undefined;
  held: Held | undefined;
}

/** What came of it; or why CRIU was not started, and nothing is undone yet. */
async function attempt(of: Attempt): Promise<Outcome | string> {
  const { request, own, checkpoint, criu, plan, repaired, onVerdict, progress, held } = of;
  // What CRIU was shown otherwise than it was saved is set right at the gate; and the gate knows when the tree runs.
  const looks = own.verify !== "off" || plan.edits.length > 0;
  const told = request.autoDedup || leavesStopped(checkpoint, request) || progress !== undefined;
  const opened = held ?? (looks || told ? openGate(pointsFor(request)) : undefined);
  if (opened !== undefined && "problem" in opened)
    return `the gate cannot be opened: ${opened.problem}; --verify=off restores without it`;
  const gate = opened?.gate;

  // What the plan adds changes what is to be expected, as the user's own words do.
  const asked = requestFrom([...plan.options, ...request.argv], process.env);
  const effective = asked.ok ? asked.request : request;
  const onVerdictReached = (verdict: Verdict) => {
    repaired.keep();
    onVerdict(verdict);
  };
  let ends: EndWatch | undefined;
  const onRun = ({ root, tasks }: LiveTree) => {
    const alive = [...tasks].filter(([, { state }]) => state !== "Z");
    const all = alive.map(([task, { pid }]) => [task, pid] as const);
    const watched = request.detached ? (own.settle > 0 ? all : []) : all.filter(isRoot(root));
    if (watched.length > 0) ends = watchEnds(new Map(watched));
  };
  const judging = { ...own, edited: plan.edits.length > 0 };
  const { noteTree } = repaired;
  const keeper = gatekeeper(checkpoint, effective, judging, onVerdictReached, noteTree, onRun);
  const dedup = dedupLater(checkpoint, request);
  let notes: string[] = [];
  let stopWatching: (() => void) | undefined;
  gate?.serve((point, root, _criu, goOn) => {
    if (point === POST_RESUME) {
      notes = dedup(keeper.verdict);
      return true;
    }
    const decision = keeper.decide(point, root, process.pid, goOn);
    if (keeper.resumed) {
      // The terminal is the tree's from here on. Who adopts its orphans is none of recriu's business, unless it is to tell
      // how a detached tree ended, which before Linux 6.15 only a parent hears.
      stopWatching?.();
      becomeSubreaper(request.detached && ends !== undefined);
    }
    return decision;
  });

  const started = performance.now();
  // Without a gate nobody knows when the tree runs, and CRIU's own behaviour counts from the start.
  if (gate !== undefined) becomeSubreaper();
  const going = held?.letGo();
  if (going?.ok === false) return going.problem;
  const child =
    going?.criu ??
    startCriu({
      path: criu!.path,
      request,
      options: [...plan.options, ...(gate === undefined ? [] : ["--action-script", gate.script])],
      ...(repaired.images && { images: { dir: repaired.images, workDir: effective.workDir } }),
      variables: plan.environment,
      stdout: own.json ? "stderr" : "inherit",
      ...givenLimits(),
    });
  const resumed = () => gate === undefined || keeper.resumed;
  // What others feed (a page server, a streamer) may be slow; without a gate nobody knows when the tree runs.
  const fed = request.lazyPages || request.stream || gate === undefined;
  const patience = { timeout: request.timeout, stall: fed ? 0 : own.stall };
  let ended: Supervised;
  try {
    stopWatching = progress && watch(checkpoint, child.pid, keeper, progress);
    ended = await supervise(child, resumed, patience);
  } catch (error) {
    await endHalfMade(child, resumed());
    throw error;
  }
  stopWatching?.();
  gate?.close();

  const { exit } = ended;
  const duration_ms = performance.now() - started;
  const timing_ms = { repair: 0, criu: duration_ms - keeper.waited, verify: keeper.spent };
  const { verdict } = keeper;
  const mismatch = verdict.result === "mismatch";
  const run = { criu_exit: exit.code, duration_ms, pid: exit.code === 0 ? keeper.rootPid : null };
  if (exit.code === 0 || keeper.resumed) {
    repaired.keep();
    const code = mismatch ? exitCode.verification : exit.code;
    const watched = await settled(ends, request.detached ? own.settle : null);
    return { exit: code, run, verdict, failure: null, notes, watched, timing_ms };
  }
  const left = [...repaired.undo(), ...tasksLeft(), ...usedUp(request)];
  if (mismatch) {
    const line = "the restored tree is not the saved one";
    const failure = { line, explanation: undefined, left, at: [] };
    return { exit: exitCode.verification, run, verdict, failure, notes, watched: null, timing_ms };
  }
  const { interrupted, givenUp } = ended;
  // The signal that ends a CRIU that was given up is recriu's own.
  const code = interrupted
    ? 128 + constants.signals[interrupted]
    : givenUp
      ? exitCode.criuFailed
      : exit.code;
  const failure = await failureOf(ended, child, left, patience);
  return { exit: code, run, verdict: null, failure, notes, watched: null, timing_ms };
}

const isRoot =
  (root: number) =>
  ([, pid]: readonly [number, number]): boolean =>
    pid === root;

/** What became of those that are watched: `seconds` from now, or by now where CRIU itself stayed until the end. */
async function settled(
  ends: EndWatch | undefined,
  seconds: number | null,
): Promise<Watched | null> {
  if (ends === undefined) return null;
  await ends.wait(seconds ?? 0);
  const { watched, unwatched } = ends;
  return { tasks: watched, unwatched, seconds, ended: ends.close() };
}

/** What of the tree lives on: recriu is its subreaper, and the parent of all that has lost its own. */
const tasksLeft = (): string[] =>
  descendantsOf(process.pid).flatMap((pid) => {
    const stat = readStat(pid);
    return stat === undefined || hasEnded(stat) ? [] : `process ${pid} (${stat.comm}) still runs`;
  });

/** Why CRIU did not bring the tree back, in its own words where it has any. */
async function failureOf(
  { exit, interrupted, givenUp, at }: Supervised,
  child: RunningCriu,
  left: string[],
  { timeout, stall }: { timeout: number | undefined; stall: number },
): Promise<Failure> {
  const own = interrupted
    ? `interrupted by ${interrupted}`
    : givenUp === "overdue"
      ? `CRIU was killed: after ${timeout} s the tree did not run yet (--timeout)`
      : givenUp === "stalled"
        ? `CRIU was killed: for ${stall} s it made no task and read no byte (--stall)`
        : undefined;
  const ending =
    exit.signal === null ? `CRIU exited with ${exit.code}` : `CRIU was ended by ${exit.signal}`;
  const line = own ?? firstCause(errorLines(await child.log())) ?? `${ending} and named no error`;
  const words = givenUp && child.lastWords();
  if (words) at.push(`its last words: ${words}`);
  const { explain } = await import("../explain/index.ts");
  return { line, explanation: explain(line), left, at };
}
