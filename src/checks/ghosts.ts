/** Files that were deleted while they were open: CRIU makes them again from the images, or links them back (files-reg.c). */
import { constants } from "node:fs";
import { dirname } from "../sys/path.ts";
import { upward } from "../host/upward.ts";
import { EROFS } from "../sys/errno.ts";
import type { GhostFileEntry, RegFileEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import type { Place } from "./paths.ts";
import { GHOST, LINKED } from "../image/flags.ts";
import { type Remap, remapsOf } from "./remaps.ts";
import { openedName } from "./used-files.ts";
import { sh } from "../sys/shell.ts";

interface Ghost extends Remap {
  ghost: GhostFileEntry;
  /** Where CRIU makes it: for a directory its own name, else a name beside it. */
  path: string;
  place: Place & { known: true };
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
    return place.known ? [{ ...found, ghost, path, place }] : [];
  });
}

const about = (id: string, severity: Finding["severity"], { image, place }: Ghost) => ({
  id,
  severity,
  task: null,
  image,
  subject: place.hostPath,
});

export const ghostFileExists: Check = {
  id: "ghost-file-exists",
  title: "Something stands where CRIU makes a deleted file again",
  reads: "remap-fpath.img and ghost-file-*.img; the name that CRIU gives each for the moment",
  why:
    "A deleted file comes back under a name of CRIU's own (NAME.cr.N.ghost) and is deleted again at the end. A CRIU that was killed leaves it " +
    "behind, and the next restore fails on it (and removes it). A deleted directory comes back under its old name: one that stands there " +
    "now gets the old one's owner and mode, and is removed at the end, or, when there is something in it, makes the restore fail.",
  proof: "criu",
  run: (context) => ghostsOf(context).flatMap((ghost) => standing(ghost) ?? []),
};

function standing(ghost: Ghost): Finding | undefined {
  const { place } = ghost;
  const found = place.root.look(place.path, false);
  if (!found.ok) return undefined;
  const at = place.hostPath;
  if (!isDirectory(ghost.ghost)) {
    const kind = kinds[ghost.ghost.mode & constants.S_IFMT] ?? "Can't create ghost regfile";
    return {
      ...about("ghost-file-exists", "blocker", ghost),
      message: `${at} is left from a CRIU that was killed: a deleted file cannot be made again there`,
      criu_message: `${kind}: File exists`,
      remedy: { kind: "human", text: "remove what that CRIU left", command: sh`rm ${at}` },
    };
  }
  if (!found.stat.isDirectory()) return undefined;
  const full = place.root.list(place.path).length > 0;
  return {
    ...about("ghost-file-exists", "blocker", ghost),
    message: full
      ? `the directory ${at} was deleted at the dump, and one of this name with something in it stands there now`
      : `the directory ${at} was deleted at the dump; the empty one that stands there now would be taken for it: given its owner and mode, and removed`,
    criu_message: full ? `Couldn't unlink remap ${ghost.path}: Directory not empty` : null,
    remedy: {
      kind: "human",
      text: "move it away for the restore",
      command: sh`mv ${at} ${at}.aside`,
    },
  };
}

/** What CRIU says, by the kind of file. */
const kinds: Record<number, string> = {
  [constants.S_IFIFO]: "Can't create node for ghost file",
  [constants.S_IFCHR]: "Can't create node for ghost dev",
  [constants.S_IFBLK]: "Can't create node for ghost dev",
  [constants.S_IFLNK]: "Can't create ghost symlink",
};

export const ghostUnwritable: Check = {
  id: "ghost-unwritable",
  title: "A deleted file cannot be made again: its file system is read-only",
  reads: "remap-fpath.img and ghost-file-*.img; the directory of each deleted file",
  why: "CRIU makes a deleted file again in its old directory, in the directory above when that is gone, and deletes it once it is open.",
  proof: "criu",
  run(context) {
    // In a mount namespace of the tree's own CRIU makes mounts writable for the moment.
    if (context.namespaces.own.mnt) return [];
    return ghostsOf(context).flatMap((ghost): Finding[] => {
      const { place } = ghost;
      const above = [...upward(dirname(place.path))];
      const directory = above.find((path) => place.root.look(path).ok) ?? "/";
      if (place.root.access(directory, constants.W_OK) !== -EROFS) return [];
      const kind = isDirectory(ghost.ghost)
        ? `couldn't mkdirpat directory ${ghost.path}`
        : (kinds[ghost.ghost.mode & constants.S_IFMT] ?? "Can't create ghost regfile");
      return [
        {
          ...about("ghost-unwritable", "blocker", ghost),
          message: `the deleted file ${ghost.reg.name} cannot be made again: ${directory} is on a read-only file system`,
          criu_message: `${kind}: Read-only file system`,
          remedy: {
            kind: "human",
            text: "make its file system writable for the restore",
            command: sh`mount -o remount,rw "$(findmnt -nT ${directory} -o TARGET)"`,
          },
        },
      ];
    });
  },
};

interface Link extends Remap {
  target: RegFileEntry;
  place: Place & { known: true };
}

/** Deleted files that the dump linked to another name. */
export function linksOf(context: Context): Link[] {
  return remapsOf(context.checkpoint, LINKED).flatMap((found): Link[] => {
    const target = context.checkpoint.openFiles.get(found.remap.remap_id)?.reg;
    if (target === undefined) return [];
    const place = context.namespaces.place(target.name, found.reg.mnt_id);
    return place.known ? [{ ...found, target, place }] : [];
  });
}

export const linkRemapMissing: Check = {
  id: "link-remap-missing",
  title: "The name that the dump gave to a deleted file is gone",
  reads: "remap-fpath.img and files.img; the link_remap.N files on this machine or under --root",
  why:
    "With --link-remap the dump named a deleted file again, link_remap.N in its old directory, and a restore that succeeds removes that name: " +
    "such images can be restored once. When the name is gone, so is the content.",
  proof: "criu",
  run: (context) =>
    linksOf(context).flatMap(({ reg, target, image, place }): Finding[] => {
      const found = place.root.look(place.path, false);
      const shared = { id: "link-remap-missing", task: null, image, subject: place.hostPath };
      if (found.ok)
        return [
          {
            ...shared,
            severity: "info",
            message: `these images can be restored once: CRIU removes ${place.hostPath} when it has restored ${reg.name}`,
            criu_message: null,
            remedy: {
              kind: "human",
              text: "to restore again later, keep a second name of it and link it back each time",
              command: sh`ln ${place.hostPath} ${place.hostPath}.keep`,
            },
          },
        ];
      return [
        {
          ...shared,
          severity: "blocker",
          message: `${place.hostPath}, which holds the deleted file ${reg.name}: ${found.problem}`,
          criu_message: `Can't link ${openedName(target)} -> ${openedName(reg)}: ${found.problem}`,
          remedy: {
            kind: "human",
            text: "put it back from a copy; a restore that succeeded has removed it",
            command: null,
          },
        },
      ];
    }),
};
