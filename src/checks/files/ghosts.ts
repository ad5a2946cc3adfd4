/** Files that were deleted while they were open: CRIU makes them again from the images, or links them back (files-reg.c). */
import { GHOST } from "../../image/flags.ts";
import type { GhostFileEntry } from "../../image/index.ts";
import type { Context, Problem } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { type Remap, remapsOf } from "./remaps.ts";
import { constants } from "node:fs";

export interface Ghost extends Remap {
  ghost: GhostFileEntry;
  /** Where CRIU makes it: for a directory its own name, else a name beside it. */
  path: string;
  place: HostPlace;
}

export const isDirectory = (ghost: GhostFileEntry): boolean =>
  (ghost.mode & constants.S_IFMT) === constants.S_IFDIR;

/** Each deleted file once: CRIU makes it for the first of those that have it open. */
export function ghostsOf(context: Context): Ghost[] {
  const seen = new Set<number>();
  return remapsOf(context.checkpoint, GHOST).flatMap((found): Ghost[] => {
    const { reg, remap } = found;
    if (seen.has(remap.remap_id)) return [];
    seen.add(remap.remap_id);
    const ghost = context.checkpoint.ghost(remap.remap_id);
    if (ghost === undefined) return [];
    const path = isDirectory(ghost)
      ? reg.name
      : `${reg.name}.cr.${remap.remap_id.toString(16)}.ghost`;
    const place = context.namespaces.place(path, reg.mnt_id);
    return place.onHost ? [{ ...found, ghost, path, place }] : [];
  });
}

export const about = (severity: Problem["severity"], { image, place }: Ghost) => ({
  severity,
  image,
  subject: place.hostPath,
});

/** What CRIU says, by the kind of file. */
export const kinds: Record<number, string> = {
  [constants.S_IFIFO]: "Can't create node for ghost file",
  [constants.S_IFCHR]: "Can't create node for ghost dev",
  [constants.S_IFBLK]: "Can't create node for ghost dev",
  [constants.S_IFLNK]: "Can't create ghost symlink",
};
