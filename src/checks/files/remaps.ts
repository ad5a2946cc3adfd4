/** Files that are not at their paths: what stands for each is in remap-fpath.img (files-reg.c). */
import { GHOST, LINKED } from "../../image/flags.ts";
import type { Checkpoint, RegFileEntry, RemapFilePathEntry } from "../../image/index.ts";

/** Of images before remap_type there was this bit. */
const REMAP_GHOST = 0x80000000;

export interface Remap {
  /** The file that a task has open. */
  reg: RegFileEntry;
  image: string;
  remap: RemapFilePathEntry;
}

/** The remaps of a type, of files that are in the images. */
export function remapsOf(checkpoint: Checkpoint, type: number): Remap[] {
  return checkpoint.remaps.flatMap((entry): Remap[] => {
    const old = (entry.remap_id & REMAP_GHOST) !== 0;
    const remap =
      entry.remap_type === undefined
        ? {
            ...entry,
            remap_type: old ? GHOST : LINKED,
            remap_id: (entry.remap_id & ~REMAP_GHOST) >>> 0,
          }
        : entry;
    const reg = checkpoint.openFiles.get(entry.orig_id)?.reg;
    if (reg === undefined || remap.remap_type !== type) return [];
    return [{ reg, remap, image: `remap-fpath.img id 0x${reg.id.toString(16)}` }];
  });
}
