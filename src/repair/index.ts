/** Carry a plan's repairs out. */
import type { Edit, Leftover, Repair, Setting } from "../checks/index.ts";
import type { Checkpoint } from "../image/index.ts";
import { type Changes, dropLeftShadows } from "./changes.ts";
import { makeDirectory } from "./directory.ts";
import { makeFifo } from "./fifo.ts";
import { putFile } from "./file.ts";
import { changeSetting } from "./kernel-setting.ts";
import { stepOf } from "./place.ts";
import { keepName } from "./kept-names.ts";
import { fillShadow } from "./shadow-images.ts";
import { besides } from "./shadow.ts";

export { beginChanges, type Changes, undoLeft } from "./changes.ts";
export { stateDirectory } from "./journal.ts";

/** What is done before CRIU starts, and what is taken back when it fails. */
interface Preparation {
  repairs: readonly Repair[];
  edits: readonly Edit[];
  settings: readonly Setting[];
  leftovers: readonly Leftover[];
}

/** Makes repairs one after the other. Returns what failed. */
function maker(record: Changes["record"]): (repair: Repair) => string | undefined {
  /** Files that had several names, by what they were when they were sealed: where one was put. */
  const put = new Map<string, string>();
  return (repair) => {
    if (repair.action === "mkdir") return makeDirectory(repair, record);
    if (repair.action === "fifo") return makeFifo(repair, record);
    const { root, path, inode, sha256 } = repair;
    const file = inode && `${root}\0${inode}\0${sha256}`;
    const problem = putFile(repair, record, put.get(file ?? ""));
    if (problem === undefined && file !== undefined) put.set(file, path);
    return problem;
  };
}

/**
 * Make the repairs in order and fill the shadow, if one is wanted or there, and note what CRIU will make. Returns why it
 * stopped, if it did; what was begun until then is for the caller to take back. A shadow that a killed recriu left is removed.
 */
export function carryOut(
  { repairs, edits, settings, leftovers }: Preparation,
  checkpoint: Checkpoint,
  changes: Changes,
): string | undefined {
  dropLeftShadows();
  if (changes.problem !== undefined && repairs.length + edits.length + settings.length > 0)
    return `no journal can be kept, so nothing is repaired: ${changes.problem}`;
  const { record } = changes;
  const make = maker(record);
  try {
    for (const repair of repairs) {
      const problem = make(repair);
      if (problem !== undefined) return problem;
    }
    for (const each of settings) {
      const problem = changeSetting(each, record);
      if (problem !== undefined) return problem;
    }
    if (edits.length > 0 || changes.images !== undefined) {
      const opened = changes.shadowIn(besides(checkpoint.dir));
      const problem = opened.ok ? fillShadow(opened.shadow, checkpoint, edits) : opened.problem;
      if (problem !== undefined) return problem;
    }
    for (const leftover of leftovers)
      if (leftover.kind !== "name") record(stepOf(leftover));
      else if (changes.problem === undefined) keepName(leftover, record);
    return undefined;
  } catch (error) {
    // What cannot be written down (a full disk) is not done.
    return `the journal cannot be written: ${(error as Error).message}`;
  }
}
