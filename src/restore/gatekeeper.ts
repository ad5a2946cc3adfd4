/** Who decides at the gate: the tree is compared with what was saved, and goes on only when it is that. */
import type { OwnOptions, Request } from "../criu/index.ts";
import { type Checkpoint, LOWEST_PRIORITY } from "../image/index.ts";
import {
  both,
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
import type { Hold } from "../sys/asking-program.ts";
import { PRE_RESUME } from "./gate.ts";
import { leavesStopped, stoppedJob } from "./job.ts";
import { mend } from "./mend.ts";
import { killTree } from "./tree.ts";

export interface Gatekeeper {
  /** The last verdict; skipped until CRIU has come to the gate. */
  verdict: Verdict;
  /** The root task's pid on this machine, once it exists. */
  rootPid: number | null;
  /** The tree was let run. */
  resumed: boolean;
  /** Milliseconds spent comparing, and those of them that CRIU waited for. */
  spent: number;
  waited: number;
  /**
   * Called at the gate; true lets CRIU go on. With `goOn` it waits at post-restore only until the tasks are known to be
   * the saved ones: what else is settled then is compared while CRIU works on, and the last point decides. `last` is the
   * process above the tree that ends last of this restore's own; a job that its end would kill is held.
   */
  decide(point: string, rootPid: number, last: number, goOn?: () => void): boolean | Hold;
}

/** What of recriu's own options counts here; `edited`: CRIU is shown other images than the saved ones. */
type Judging = Pick<OwnOptions, "verify" | "schedPrio"> & { readonly edited: boolean };

export function gatekeeper(
  checkpoint: Checkpoint,
  request: Request,
  { verify: mode, schedPrio: lostPriority = LOWEST_PRIORITY, edited }: Judging,
  onVerdict: (verdict: Verdict) => void,
  onTree: (rootPid: number) => void,
  onRun: (tree: LiveTree) => void = () => {},
): Gatekeeper {
  // Behind post-restore the network is unlocked: who has connections is only let there when all is well.
  const mayGoOn = !request.sibling && !hasConnections(checkpoint);
  const keeper: Gatekeeper = {
    verdict: skipped,
    rootPid: null,
    resumed: false,
    spent: 0,
    waited: 0,
    decide(point, ...of) {
      try {
        return judge(point, ...of);
      } catch (error) {
        // What could not be decided is not let run.
        keeper.verdict = unfinished(error);
        if (point === PRE_RESUME && !request.sibling) killTree(of[0]);
        return false;
      }
    },
  };
  const judge: Gatekeeper["decide"] = (point, rootPid, last, goOn) => {
    const start = performance.now();
    keeper.rootPid = rootPid;
    let gone: number | undefined;
    const letGoOn = () => {
      onTree(rootPid);
      gone = performance.now();
      goOn!();
    };
    const verdict =
      point === PRE_RESUME ? final(rootPid) : first(rootPid, goOn && mayGoOn ? letGoOn : undefined);
    const end = performance.now();
    keeper.spent += end - start;
    keeper.waited += (gone ?? end) - start;
    // What was seen since counts at the last point: a CRIU that does not come there has failed for itself.
    if (gone !== undefined) return true;
    keeper.verdict = verdict;
    // CRIU waits for ever for a sibling that is killed at the last point: there it is only reported.
    const told = point === PRE_RESUME && request.sibling;
    const refused = verdict.result === "mismatch" && mode !== "report" && !told;
    if (point !== PRE_RESUME) {
      if (!refused) onTree(rootPid);
      return !refused;
    }
    // CRIU is not to wait for what is cleared away.
    if (live !== undefined) setImmediate(letGo, live);
    // CRIU does not heed a refusal here.
    if (refused) {
      // Not all of it needs to be below its root; CRIU kills the rest when it finds the root gone, if it lives to.
      const now = liveTree(checkpoint, rootPid, true);
      killTree(rootPid, ...[...now.tasks.values()].map(({ pid }) => pid));
      letGo(now);
      return false;
    }
    if (live !== undefined) onRun(live);
    const hold = leavesStopped(checkpoint, request) ? stoppedJob(rootPid, last) : undefined;
    keeper.resumed = true;
    setImmediate(onVerdict, verdict);
    return hold ?? true;
  };
  const compare = (tree: LiveTree, ...final: Final[]) =>
    verify(checkpoint, request, tree, { final, lostPriority });
  /** Nothing of the tree runs between the points: its processes are found once, and what is settled is compared once. */
  let live: LiveTree | undefined;
  let settled: Verdict | undefined;
  const findTree = (rootPid: number) => (live ??= liveTree(checkpoint, rootPid, true));

  /** Every task exists: are they the saved ones? Then CRIU may go on while the rest of what is settled is compared. */
  const first = (rootPid: number, letGoOn: (() => void) | undefined): Verdict => {
    if (mode === "off") return skipped;
    try {
      const tree = findTree(rootPid);
      const outside = compare(tree, "outside");
      if (outside.result === "match" || mode === "report") letGoOn?.();
      settled = compare(tree, "tree");
      return both(outside, settled);
    } catch (error) {
      return unfinished(error);
    }
  };
  /** The tree is about to run. */
  const final = (rootPid: number): Verdict => {
    try {
      if (mode === "off" && !edited) return skipped;
      const tree = findTree(rootPid);
      const now = later(tree);
      if (mode === "off") {
        mend(checkpoint, now, lostPriority);
        return skipped;
      }
      settled ??= compare(tree, "tree");
      let state = compare(now, "outside", "state");
      const mended = state.differences.length === 0 ? [] : mend(checkpoint, now, lostPriority);
      if (mended.length > 0) state = compare(later(tree), "outside", "state");
      const { differences, ...verdict } = both(state, settled);
      const found = { ...verdict, differences: [...mended, ...differences] };
      return mode === "memory" ? withMemory(found, checkpoint, request, now) : found;
    } catch (error) {
      return unfinished(error); // a tree that could not be looked at must not run
    }
  };
  return keeper;
}

/** The verdict of a comparison that failed itself. */
function unfinished(error: unknown): Verdict {
  const found = error instanceof Error ? error.message : String(error);
  const difference = { facet: "verification", task: null, expected: "an end", found } as const;
  return { ...skipped, result: "mismatch", differences: [{ ...difference, class: "fatal" }] };
}
