/** Compare a live tree with the checkpoint it was restored from. */
import type { Request } from "../criu/index.ts";
import type { Checkpoint } from "../image/index.ts";
import type { Difference, Facet } from "./facet.ts";
import { type LiveTree, liveTree } from "./live.ts";
import { command, executable, workingDirectory } from "./program.ts";
import { sched } from "./sched.ts";
import { unixSockets } from "./sockets.ts";
import { tasks, threads } from "./tasks.ts";

export type { Difference } from "./facet.ts";
export { findRoot, type LiveTree, liveTree } from "./live.ts";

const facets: readonly Facet[] = [
  tasks,
  threads,
  unixSockets,
  command,
  executable,
  workingDirectory,
  sched,
];

export interface Verdict {
  result: "match" | "mismatch" | "skipped";
  /** How many values were compared. */
  compared: number;
  differences: Difference[];
}

export const skipped: Verdict = { result: "skipped", compared: 0, differences: [] };

/**
 * Compare the tree below the process `root` of this machine. `final` "structure" compares only what is final once
 * every task exists; "state" compares everything.
 */
export function verify(
  checkpoint: Checkpoint,
  request: Request,
  root: number,
  final: Facet["final"],
): { verdict: Verdict; live: LiveTree } {
  const live = liveTree(checkpoint, root);
  const differences: Difference[] = [];
  let compared = 0;
  for (const facet of facets) {
    if (final === "structure" && facet.final === "state") continue;
    facet.compare(
      { checkpoint, live, request },
      {
        same(task, what, expected, found, unequal = "fatal") {
          compared += 1;
          if (String(expected) === String(found)) return;
          const difference = {
            expected: `${what}: ${expected}`,
            found: found === undefined ? "nothing" : String(found),
          };
          differences.push({ facet: facet.id, task, ...difference, class: unequal });
        },
      },
    );
  }
  const fatal = differences.some((difference) => difference.class === "fatal");
  return { verdict: { result: fatal ? "mismatch" : "match", compared, differences }, live };
}
