/** The decision at the gate: the tree is compared with what was saved, and goes on only when it is that. */
import type { Settings, Request } from "../criu/index.ts";
import { type Checkpoint, LOWEST_PRIORITY } from "../image/index.ts";
import {
  merged,
  type Final,
  hasConnections,
  later,
  letGo,
  type LiveTree,
  liveTree,
  skipped,
  type Verdict,
  verify,
  withMemory,
} from "../verify/index.ts";
import { dedupLater } from "./consumed.ts";
import { type Decide, POST_RESTORE, POST_RESUME, PRE_RESUME, type Question } from "./gate.ts";
import { leavesStopped, stoppedJob } from "./job.ts";
import { mend } from "./mend.ts";
import { killTree } from "./tree.ts";

/**
 * Where a restore is, seen from the gate. `root` is the root task's pid on this machine. Nothing is said of a tree before
 * the last point has decided, or an earlier one has refused: a CRIU that does not come there has failed for itself.
 */
export interface State {
  readonly at: "waiting" | "structure verified" | "running" | "refused";
  readonly root: number | null;
  readonly verdict: Verdict;
  /** The tree as it was found, of which nothing runs between the points, and what was compared of it there already. */
  readonly looked?: { readonly tree: LiveTree; readonly settled: Verdict | undefined } | undefined;
  /** From post-resume on: what was asked for beside the tree and not done, in words. */
  readonly notes?: readonly string[];
}

export interface Gatekeeper {
  readonly state: State;
  /** Milliseconds spent comparing, and those of them that CRIU waited for. */
  readonly times: { readonly spentMs: number; readonly waitedMs: number };
  /**
   * The gate's question is answered, and `state` is what came of it. With `goOn` CRIU waits at post-restore only until the
   * tasks are known to be the saved ones: what else is settled then is compared while it works on, and the last point
   * decides. Never throws: what cannot be decided is refused.
   */
  readonly decide: Decide;
}

export interface Kept {
  readonly checkpoint: Checkpoint;
  readonly request: Request;
  /** What of recriu's own options counts here. */
  readonly settings: Pick<Settings, "verify" | "schedPrio"> & { readonly rehearse?: boolean };
  /** What CRIU is shown otherwise than it was saved. */
  readonly edits: Parameters<typeof mend>[3];
  /** Called once the tree below process `root` exists and is let go on to the last point. */
  readonly noteTree: (root: number) => void;
  /** The process whose namespaces are CRIU's, where they are not recriu's. */
  readonly init?: () => number | undefined;
  /** The process above the tree that ends last of this restore's own; undefined: CRIU. A job that its end would kill is held. */
  readonly last: number | undefined;
}

/** To be made before CRIU reads the images. */
export function gatekeeper(of: Kept): Gatekeeper {
  const dedup = dedupLater(of.checkpoint, of.request);
  let state: State = { at: "waiting", root: null, verdict: skipped };
  const times = { spentMs: 0, waitedMs: 0 };
  return {
    get state() {
      return state;
    },
    times,
    decide(question) {
      if (question.point === POST_RESUME) {
        state = runs(of, state, question.root, dedup);
        return true;
      }
      const start = performance.now();
      let gone: number | undefined;
      const { goOn } = question;
      const timed = () => {
        gone = performance.now();
        goOn!();
      };
      const next = step(of, state, { ...question, goOn: goOn && timed });
      ({ state } = next);
      const end = performance.now();
      times.spentMs += end - start;
      times.waitedMs += (gone ?? end) - start;
      return next.answer;
    },
  };
}

interface Step {
  readonly state: State;
  readonly answer: ReturnType<Decide>;
}

function step(of: Kept, state: State, question: Question): Step {
  const { point, root } = question;
  try {
    if (point === POST_RESTORE) return allExist(of, state, question);
    return point === PRE_RESUME ? aboutToRun(of, state, question) : { state, answer: true };
  } catch (error) {
    // What could not be decided is not let run.
    if (point === PRE_RESUME && !of.request.sibling) killTree(root);
    return refused(root, unfinished(error));
  }
}

const refused = (root: number, verdict: Verdict): Step => ({
  state: { at: "refused", root, verdict },
  answer: false,
});

/** Every task exists: are they the saved ones? Then CRIU may go on while the rest of what is settled is compared. */
function allExist(of: Kept, before: State, { root, goOn }: Question): Step {
  const { checkpoint, request, settings, noteTree } = of;
  // Some CRIUs ask twice, and others' scripts run between.
  if (before.looked !== undefined) letGo(before.looked.tree);
  // Behind post-restore the network is unlocked: a tree with connections goes there only when all was compared.
  const mayGoOn = goOn !== undefined && !request.sibling && !hasConnections(checkpoint);
  let looked: State["looked"];
  let gone = false;
  const verdict = finished(() => {
    if (settings.verify === "off") return skipped;
    const tree = liveTree(checkpoint, root, true, of.init?.());
    const outside = compare(of, tree, "outside");
    if (mayGoOn && (outside.result === "match" || settings.verify === "report")) {
      noteTree(root);
      gone = true;
      goOn();
    }
    const settled = compare(of, tree, "tree");
    looked = { tree, settled };
    return merged(outside, settled);
  });
  // Once CRIU has gone on, what was seen counts at the last point.
  if (!gone && verdict.result === "mismatch" && settings.verify !== "report")
    return refused(root, verdict);
  if (!gone) noteTree(root);
  return { state: { at: "structure verified", root, verdict: skipped, looked }, answer: true };
}

/** The tree is about to run. CRIU does not heed a refusal here: what is refused is killed. */
function aboutToRun(of: Kept, before: State, { root, criu }: Question): Step {
  const { checkpoint, request, settings, edits, last = criu } = of;
  let { looked } = before;
  const verdict = finished(() => {
    if (settings.verify === "off" && edits.length === 0) return skipped;
    looked ??= { tree: liveTree(checkpoint, root, true, of.init?.()), settled: undefined };
    const { tree } = looked;
    const now = later(tree);
    if (settings.verify === "off") {
      mend(checkpoint, now, priorityOf(of), edits);
      return skipped;
    }
    const settled = looked.settled ?? compare(of, tree, "tree");
    looked = { tree, settled };
    let state = compare(of, now, "outside", "state");
    const isAsSaved = state.differences.length === 0 && edits.length === 0;
    const mended = isAsSaved ? [] : mend(checkpoint, now, priorityOf(of), edits);
    if (mended.length > 0) state = compare(of, later(tree), "outside", "state");
    const { differences, ...said } = merged(state, settled);
    const found = { ...said, differences: [...mended, ...differences] };
    return settings.verify === "memory" ? withMemory(found, checkpoint, request, now) : found;
  });
  // CRIU is not to wait for what is cleared away.
  if (looked !== undefined) setImmediate(letGo, looked.tree);
  // CRIU waits for ever for a sibling that is killed: of that it is only told.
  const isWrong = verdict.result === "mismatch" && settings.verify !== "report";
  if ((isWrong || settings.rehearse) && !request.sibling) {
    // Not all of it needs to be below its root; CRIU kills the rest when it finds the root gone, if it lives to.
    const now = liveTree(checkpoint, root, true, of.init?.());
    killTree(root, ...[...now.tasks.values()].map(({ pid }) => pid));
    letGo(now);
    return refused(root, verdict);
  }
  const hold = leavesStopped(checkpoint, request) ? stoppedJob(root, last) : undefined;
  return { state: { at: "running", root, verdict, looked }, answer: hold ?? true };
}

/** It runs, whatever was answered: but for a tree that was killed. Some CRIUs say so twice. */
function runs(of: Kept, state: State, root: number, dedup: ReturnType<typeof dedupLater>): State {
  if (state.at === "refused" && !of.request.sibling) return state;
  if (state.notes !== undefined) return state;
  return { at: "running", root, verdict: state.verdict, notes: dedup(state.verdict) };
}

const priorityOf = ({ settings }: Kept): number => settings.schedPrio ?? LOWEST_PRIORITY;

const compare = (of: Kept, tree: LiveTree, ...final: Final[]): Verdict =>
  verify(of.checkpoint, of.request, tree, { final, lostPriority: priorityOf(of) });

/** A tree that could not be looked at is not the saved one. */
function finished(look: () => Verdict): Verdict {
  try {
    return look();
  } catch (error) {
    return unfinished(error);
  }
}

/** The verdict of a comparison that failed itself. */
function unfinished(error: unknown): Verdict {
  const found = error instanceof Error ? error.message : String(error);
  const difference = { facet: "verification", task: null, expected: "an end", found } as const;
  return { ...skipped, result: "mismatch", differences: [{ ...difference, class: "fatal" }] };
}
