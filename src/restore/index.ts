/** The flow itself: repair, CRIU held at its gate, verdict; and everything taken back when it fails. */
import { constants } from "node:os";
import type { Isolated } from "../isolate/index.ts";
import { requestFrom, startCriu } from "../criu/index.ts";
import { descendantsOf, hasEnded, readStat } from "../host/processes.ts";
import type { Preflight } from "../plan/preflight.ts";
import { beginChanges, carryOut, type Changes } from "../repair/index.ts";
import type { ProgressReport } from "../report/progress.ts";
import { exitCode, type Outcome } from "../report/outcome.ts";
import { printJournalNote } from "../report/text.ts";
import { becomeSubreaper } from "../sys/process.ts";
import type { LiveTree, Verdict } from "../verify/index.ts";
import { type EndWatch, settled, watchTasks } from "./ends.ts";
import { usedUp } from "./consumed.ts";
import { whyFailed } from "./failure.ts";
import { openGate, PRE_RESTORE, type Question } from "./gate.ts";
import { gatekeeper } from "./gatekeeper.ts";
import type { HeldCriu } from "./hold.ts";
import { leavesStopped } from "./job.ts";
import { inheritedLimits } from "./limits.ts";
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
  held?: HeldCriu,
): Promise<Outcome> {
  const begun = performance.now();
  using changes = held?.changes ?? beginChanges(preflight.checkpoint.dir);
  const problem = carryOut(preflight.plan, preflight.checkpoint, changes);
  const timing_ms = { repair: performance.now() - begun, criu: 0, verify: 0 };
  const notStarted = (exit: number, line: string): Outcome => {
    progress?.end();
    const failure = { line, explanation: undefined, left: changes.undo(), at: [] };
    return { exit, run: null, verdict: null, failure, notes: [], watched: null, timing_ms };
  };
  if (problem !== undefined) return notStarted(exitCode.blocked, problem);
  printJournalNote(changes.problem);
  try {
    const outcome = await attempt({ ...preflight, changes, onVerdict, progress, held });
    if (typeof outcome === "string") return notStarted(exitCode.criuFailed, outcome);
    return { ...outcome, timing_ms: { ...outcome.timing_ms, repair: timing_ms.repair } };
  } catch (error) {
    if (error instanceof TreeRuns) throw error;
    return notStarted(exitCode.criuFailed, (error as Error).message);
  }
}

/** A fault of recriu's own, when all that could be taken back has to stay. */
class TreeRuns extends Error {}

interface Attempt extends Preflight {
  changes: Changes;
  onVerdict: (verdict: Verdict) => void;
  progress: ProgressReport | undefined;
  held: HeldCriu | undefined;
}

/** What came of it; or why CRIU was not started, and nothing is undone yet. */
async function attempt(of: Attempt): Promise<Outcome | string> {
  const { request, settings, checkpoint, criu, plan, changes, onVerdict, progress, held } = of;
  // What CRIU was shown otherwise than it was saved is set right at the gate; and the gate knows when the tree runs.
  const { edits } = plan;
  const verifies = settings.verify !== "off" || edits.length > 0;
  const told = request.autoDedup || leavesStopped(checkpoint, request) || progress !== undefined;
  const apart = plan.isolate.length > 0 ? await import("../isolate/index.ts") : undefined;
  const opened =
    held === undefined && (verifies || told || apart !== undefined)
      ? openGate(apart && ((nth) => apart.pathInside(request, nth)))
      : undefined;
  if (opened?.ok === false)
    return `the gate cannot be opened: ${opened.problem}; --verify=off restores without it`;
  using gate = held?.gate ?? opened?.gate;
  using isolated = apart?.isolate({
    kinds: plan.isolate,
    network: plan.network,
    dirs: plan.dirs,
    over: plan.over,
    replaceIp: settings.replaceIp,
    checkpoint,
    request,
    shown: [...gate!.shown, ...changes.shown],
  });

  // What the plan adds changes what is to be expected, as the user's own words do.
  const asked = requestFrom([...plan.options, ...request.argv], process.env);
  const effective = asked.ok ? asked.request : request;
  const { noteTree } = changes;
  const init = () => isolated?.init;
  const kept = {
    checkpoint,
    request: effective,
    settings,
    edits,
    noteTree,
    init,
    last: process.pid,
  };
  const keeper = gatekeeper(kept);
  const runs = () => keeper.state.at === "running";
  let ends: EndWatch | undefined;
  let inside: number | null = null;
  let unwritten: string[] = [];
  let stopWatching: (() => void) | undefined;
  const letRun = (verdict: Verdict, tree: LiveTree | undefined) => {
    ends = tree && watchTasks(tree, request.detached, settings.settleSeconds);
    // The terminal is the tree's from here on. recriu does not adopt its orphans, unless it is to tell
    // how a detached tree ended, which before Linux 6.15 only a parent hears.
    stopWatching?.();
    becomeSubreaper(request.detached && ends !== undefined);
    setImmediate(() => {
      changes.keep();
      const { pidfile } = request;
      if (inside !== null && pidfile !== undefined)
        unwritten = apart!.writePidfile(pidfile, keeper.state.root!);
      onVerdict(verdict);
    });
  };
  const serving = gate?.serve((question) => {
    const ranBefore = runs();
    if (question.point === PRE_RESTORE) isolated?.bind();
    const answer = keeper.decide(isolated === undefined ? question : asSeen(question, isolated));
    const { state } = keeper;
    if (state.at === "running" && !ranBefore) {
      inside = isolated === undefined ? null : question.root;
      isolated?.letRun(question.root);
      letRun(state.verdict, state.looked?.tree);
    }
    return answer;
  });

  const started = performance.now();
  // Without a gate recriu does not see when the tree runs: CRIU's own behaviour counts from the start.
  if (gate !== undefined) becomeSubreaper();
  const released = held?.release();
  if (released?.state === "held") return released.problem;
  const child =
    released?.state === "released"
      ? released.criu
      : startCriu({
          path: criu!.path,
          request: isolated?.request ?? request,
          options: [...plan.options, ...(gate ? ["--action-script", gate.script] : [])],
          through: isolated?.through,
          ...(changes.images && {
            images: {
              dir: apart?.pathInside(request, gate!.shown.length) ?? changes.images,
              workDir: effective.workDir,
            },
          }),
          variables: plan.environment,
          stdout: settings.json ? "stderr" : "inherit",
          // That it fails is how a rehearsal ends.
          isMuted: () => settings.rehearse && keeper.state.at === "refused",
          ...inheritedLimits(),
        });
  const resumed = () => gate === undefined || runs();
  // What others feed (a page server, a streamer) may be slow; without a gate recriu does not see when the tree runs.
  const fed = request.lazyPages || request.stream || gate === undefined;
  const patience = {
    timeoutSeconds: request.timeoutSeconds,
    stallSeconds: fed ? 0 : settings.stallSeconds,
  };
  let ended: Supervised;
  try {
    stopWatching = progress && watch(checkpoint, child.pid, () => keeper.state, progress);
    ended = await Promise.race([supervise(child, resumed, patience), failureIn(serving)]);
  } catch (error) {
    await endHalfMade(child, resumed());
    if (!runs()) throw error;
    // Under a tree that runs nothing is taken back.
    changes.keep();
    throw new TreeRuns(`${(error as Error).message}; the tree runs below ${keeper.state.root}`);
  }
  stopWatching?.();

  const { exit } = ended;
  const duration_ms = performance.now() - started;
  const { waitedMs, spentMs } = keeper.times;
  const timing_ms = { repair: 0, criu: duration_ms - waitedMs, verify: spentMs };
  const { verdict, root, notes = [] } = keeper.state;
  const mismatch = verdict.result === "mismatch";
  const there = exit.code === 0 ? root : null;
  const run = {
    criu_exit: exit.code,
    duration_ms,
    pid: there,
    pid_inside: there === null ? null : inside,
    network: there === null ? null : (isolated?.pair ?? null),
  };
  if (exit.code === 0 || runs()) {
    changes.keep();
    const code = mismatch ? exitCode.verification : exit.code;
    const watched = await settled(ends, request.detached ? settings.settleSeconds : null);
    return {
      exit: code,
      run,
      verdict,
      failure: null,
      notes: [...notes, ...unwritten],
      watched,
      timing_ms,
    };
  }
  const left = [...changes.undo(), ...tasksLeft(), ...usedUp(request)];
  if (settings.rehearse && keeper.state.at === "refused" && !mismatch)
    return {
      exit: exitCode.ok,
      run,
      verdict,
      failure: null,
      rehearsal: { left },
      notes: [],
      watched: null,
      timing_ms,
    };
  const failed = { run, notes: [], watched: null, timing_ms };
  if (mismatch) {
    const line = "the restored tree is not the saved one";
    const failure = { line, explanation: undefined, left, at: [] };
    return { ...failed, exit: exitCode.verification, verdict, failure };
  }
  const { interrupted, givenUp } = ended;
  // The signal that ends a CRIU that was given up is recriu's own.
  const code = interrupted
    ? 128 + constants.signals[interrupted]
    : givenUp
      ? exitCode.criuFailed
      : exit.code;
  const failure = await whyFailed(ended, child, left, patience);
  return { ...failed, exit: code, verdict: null, failure };
}

/** What CRIU asks inside, with the numbers of this machine. */
const asSeen = (question: Question, { outside }: Isolated): Question => ({
  ...question,
  root: outside(question.root),
  criu: outside(question.criu),
});

/** Rejects when answering at the gate fails. */
const failureIn = (serving: Promise<void> | undefined): Promise<never> =>
  new Promise((_, reject) => void serving?.catch(reject));

/** What of the tree lives on: recriu is its subreaper, and the parent of all that has lost its own. */
const tasksLeft = (): string[] =>
  descendantsOf(process.pid).flatMap((pid) => {
    const stat = readStat(pid);
    return stat === undefined || hasEnded(stat) ? [] : `process ${pid} (${stat.comm}) still runs`;
  });
