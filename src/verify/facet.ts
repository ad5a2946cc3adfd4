/** One side of a tree that is compared: what was saved against what is. */
import type { Request } from "../criu/index.ts";
import type { Checkpoint } from "../image/index.ts";
import type { LiveTree } from "./live.ts";

/** mended: CRIU had not restored it, recriu then did. fatal: not the saved tree. tolerated: lost, but the tree is the saved one. expected: what was asked for. */
export type DifferenceClass = "fatal" | "tolerated" | "expected" | "mended";

export interface Difference {
  facet: string;
  /** The task by its pid in the images. */
  task: number | null;
  expected: string;
  found: string;
  class: DifferenceClass;
}

/** What was wanted and could not be compared: it is not equal. */
export interface NotCompared {
  facet: string;
  task: number | null;
  /** How much, and why. */
  what: string;
}

export interface Subject {
  checkpoint: Checkpoint;
  live: LiveTree;
  request: Request;
  /** What real-time threads were given whose priority was not saved; undefined: nobody knows. */
  lostPriority: number | undefined;
}

/** Takes each pair of values in turn; equal ones only count. */
export interface Comparison {
  same(
    task: number | null,
    what: string,
    expected: string | number,
    found: string | number | undefined,
    unequal?: DifferenceClass,
  ): void;
}

/**
 * When a value can be compared. tree: from `post-restore` on, when every task exists; only the task itself could change
 * it, which does not run. outside: likewise, but others can change it until the tree runs. state: at `pre-resume`, when
 * the tree is about to run. What CRIU does between the two: from CR_STATE_RESTORE_CREDS on in criu/pie/restorer.c.
 */
export type Final = "tree" | "outside" | "state";

export interface Facet {
  id: string;
  final: Final;
  /** A running tree changes it by itself: then a difference proves nothing. */
  moving?: true;
  compare(subject: Subject, comparison: Comparison): void;
}
