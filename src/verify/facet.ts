/** One side of a tree that is compared: what was saved against what is. */
import type { Request } from "../criu/index.ts";
import type { Checkpoint } from "../image/index.ts";
import type { LiveTask, LiveTree } from "./live.ts";

/**
 * mended: CRIU had not restored it, recriu then did. fatal: not the saved tree. tolerated: lost, but the tree is the
 * saved one. expected: what was asked for. changed: a tree that runs does so by itself, it proves nothing.
 */
export type DifferenceClass = "fatal" | "tolerated" | "expected" | "mended" | "changed";

export interface Difference {
  facet: string;
  /** The task by its pid in the images. */
  task: number | null;
  expected: string;
  found: string;
  class: DifferenceClass;
}

/** What was saved and could not be held against the tree: why, and of how many values. */
export interface NotCompared {
  facet: string;
  reason: string;
  count: number;
}

export interface Subject {
  checkpoint: Checkpoint;
  live: LiveTree;
  request: Request;
  /** The priority of real-time threads without a saved one; undefined: not known. */
  lostPriority: number | undefined;
  /** The tree does not come to the last point yet, where recriu mends what it can. */
  early: boolean;
}

/** Takes each pair of values in turn; equal ones only count. What is not compared is not equal: it is said apart. */
export interface Comparison {
  same(
    task: number | null,
    what: string,
    expected: string | number,
    found: string | number | undefined,
    unequal?: DifferenceClass,
  ): void;
  /** So many pairs of values that were found equal. */
  alike(count: number): void;
  /** A saved value that is left out here. Reasons are plain text that holds nothing of the images: equal ones are counted. */
  leftOut(reason: string, count?: number): void;
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
  /** A running tree changes it by itself: then a difference is what changed since. */
  moving?: true;
  compare(subject: Subject, comparison: Comparison): void;
}

/** Ids of the tree are those of this machine: neither it nor CRIU was in another user namespace than the other. */
export const ownUsers = ({ root, inventory }: Checkpoint): boolean =>
  root?.ids?.user_ns_id === inventory?.root_ids?.user_ns_id;

/**
 * `found` as it is to be held against a saved path: as that, where that leads there, through links that no other user has
 * made. A merged /usr, a directory that was moved: CRIU opens the saved path.
 */
export const asSaved = (
  { proc }: Pick<LiveTask, "proc">,
  saved: string,
  found: string | undefined,
): string | undefined =>
  found !== undefined && found !== saved && proc.leads(saved) === found ? saved : found;

/** A saved path as /proc/PID/fd shows it: of a directory /proc/PID a dump writes a slash at the end (files-reg.c). */
export const shownName = ({ name }: { name: string }): string => name.replace(/(.)\/$/s, "$1");
