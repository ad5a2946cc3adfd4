/** Who decides at the gate: the tree is compared with what was saved, and goes on only when it is that. */
import type { OwnOptions, Request } from "../criu/index.ts";
import { type Checkpoint, LOWEST_PRIORITY } from "../image/index.ts";
import {
  both,
  type Final,
  later,
  letGo,
  type LiveTree,
  liveTree,
  skipped,
  type Verdict,
  verify,
} from "../verify/index.ts";
import { POST_RESTORE, PRE_RESUME } from "./gate.ts";
import { mend } from "./mend.ts";
import { killTree } from "./tree.ts";

export interface Gatekeeper {
  /** The last verdict; skipped until CRIU has come to the gate. */
  verdict: Verdict;
  /** The root task's pid on this machine, once it exists. */
  rootPid: number | null;
  /** The tree was let run. */
  resumed: boolean;
  /** Milliseconds spent comparing. */
  spent: number;
  /** Called at the gate; true lets CRIU go on. */
  decide(point: string, rootPid: number): boolean;
}

/** What of recriu's own options counts here. */
export type Judging = Pick<OwnOptions, "verify" | "schedPrio">;

export function gatekeeper(
  checkpoint: Checkpoint,
  request: Request,
  { verify: mode, schedPrio: lostPriority = LOWEST_PRIORITY }: Judging,
  onVerdict: (verdict: Verdict) => void,
  onTree: (rootPid: number) => void,
): Gatekeeper {
  const keeper: Gatekeeper = {
    verdict: skipped,
    rootPid: null,
    resumed: false,
    spent: 0,
    decide(point, rootPid) {
      const start = performance.now();
      keeper.rootPid = rootPid;
      keeper.verdict = judge(point, rootPid);
      keeper.spent += performance.now() - start;
      // CRIU waits for ever for a sibling that is killed at the last point: there it is only reported.
      const last = point === PRE_RESUME && request.sibling;
      const refused = keeper.verdict.result === "mismatch" && mode === "gate" && !last;
      if (point !== PRE_RESUME) {
        if (!refused) onTree(rootPid);
        return !refused;
      }
      // CRIU is not to wait for what is cleared away.
      if (first !== undefined) setImmediate(letGo, first.live);
      // CRIU does not heed a refusal here.
      if (refused) {
        // Not all of it needs to be below its root; CRIU kills the rest when it finds the root gone, if it lives to.
        const now = liveTree(checkpoint, rootPid, true);
        killTree(rootPid, ...[...now.tasks.values()].map(({ pid }) => pid));
        letGo(now);
      } else {
        keeper.resumed = true;
        setImmediate(onVerdict, keeper.verdict);
      }
      return !refused;
    },
  };
  /** What the first point showed of the tree itself: nothing of it runs until the last, so it is looked at once. */
  let first: { live: LiveTree; verdict: Verdict } | undefined;
  const judge = (point: string, rootPid: number): Verdict => {
    try {
      if (mode === "off" && point !== PRE_RESUME) return skipped;
      const compare = (tree: LiveTree, ...final: Final[]) =>
        verify(checkpoint, request, tree, { final, lostPriority });
      if (first === undefined) {
        const live = liveTree(checkpoint, rootPid, true);
        first = { live, verdict: mode === "off" ? skipped : compare(live, "tree") };
      }
      if (point === POST_RESTORE) return both(compare(first.live, "outside"), first.verdict);
      const live = later(first.live);
      if (mode === "off") {
        mend(live, lostPriority);
        return skipped;
      }
      let last = compare(live, "outside", "state");
      const mended = last.differences.length === 0 ? [] : mend(live, lostPriority);
      if (mended.length > 0) last = compare(later(live), "outside", "state");
      const { differences, ...verdict } = both(last, first.verdict);
      return { ...verdict, differences: [...mended, ...differences] };
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
  return { result: "mismatch", compared: 0, differences: [{ ...difference, class: "fatal" }] };
}
