/** Carry a plan's repairs out. */
import type { Edit, Leaving, Repair } from "../checks/index.ts";
import type { Checkpoint } from "../image/index.ts";
import { beginChanges, type Changes, dropLeftShadows } from "./changes.ts";
import { makeDirectory } from "./directory.ts";
import { stepOf } from "./place.ts";
import { keepName } from "./kept-names.ts";
import { fillShadow } from "./shadow-images.ts";
import { besides, openShadow } from "./shadow.ts";

export { type Changes, undoLeft } from "./changes.ts";
export { stateDirectory } from "./journal.ts";

type RepairResult =
  { ok: true; repaired: Changes } | { ok: false; problem: string; left: string[] };

/** What is done before CRIU starts, and what is taken back when it fails. */
interface Preparation {
  repairs: readonly Repair[];
  edits: readonly Edit[];
  leavings: readonly Leaving[];
}

/**
 * Make the repairs in order and fill the shadow, if one is wanted or there, and note what CRIU will make. When one
 * fails, everything is taken back. A shadow that a killed recriu left is removed.
 */
export function carryOut(
  { repairs, edits, leavings }: Preparation,
  checkpoint: Checkpoint,
  changes = beginChanges(checkpoint.dir),
): RepairResult {
  dropLeftShadows();
  if (changes.problem !== undefined && repairs.length + edits.length > 0) {
    const problem = `no journal can be kept, so nothing is repaired: ${changes.problem}`;
    return { ok: false, problem, left: [] };
  }
  const { record } = changes;
  const failed = (problem: string): RepairResult => ({ ok: false, problem, left: changes.undo() });
  try {
    for (const repair of repairs) {
      const problem = makeDirectory(repair, record);
      if (problem !== undefined) return failed(problem);
    }
    if (edits.length > 0 && changes.shadow === undefined) {
      const opened = openShadow(besides(checkpoint.dir), record);
      if (!opened.ok) return failed(opened.problem);
      changes.shadow = opened.shadow;
    }
    const problem = changes.shadow && fillShadow(changes.shadow, checkpoint, edits);
    if (problem !== undefined) return failed(problem);
    for (const leaving of leavings)
      if (leaving.kind !== "name") record(stepOf(leaving));
      else if (changes.problem === undefined) keepName(leaving, record);
  } catch (error) {
    // What cannot be written down (a full disk) is not done.
    return failed(`the journal cannot be written: ${(error as Error).message}`);
  }
  return { ok: true, repaired: changes };
}
