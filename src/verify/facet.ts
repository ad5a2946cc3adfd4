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

export interface Facet {
  id: string;
  /** structure: final when every task exists (`post-restore`). state: final when the tree is about to run (`pre-resume`). */
  final: "structure" | "state";
  /** A running tree changes it by itself: then a difference proves nothing. */
  moving?: true;
  compare(subject: Subject, comparison: Comparison): void;
}
