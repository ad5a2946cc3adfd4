/**
 * The names under which CRIU makes deleted files again for the moment, and which a CRIU that fails can leave: of each its own
 * (NAME.cr.N.ghost, or link_remap.N of the dump), and NAME, to which it is linked while it is opened (NAME.cr_link where
 * NAME is taken), in directories that CRIU makes for it (rfi_remap() of files-reg.c).
 */
import { upward } from "../../host/upward.ts";
import type { GhostFileEntry } from "../../image/index.ts";
import { basename, dirname, join } from "../../sys/path.ts";
import type { Context, Leaving } from "../finding.ts";
import type { Place } from "../paths.ts";
import { ghostsOf, isDirectory } from "./ghosts.ts";
import { linksOf } from "./link-remap-missing.ts";

type Known = Place & { known: true };

const isThere = ({ root, path }: Known): boolean => root.look(path, false).ok;

/** CRIU goes up to the first directory that is there. */
function trimmed(place: Known): Known {
  const there = [...upward(dirname(place.path))].find((path) => place.root.look(path).ok) ?? "/";
  return { ...place, path: join(there, basename(place.path)) };
}

const leaving = ({ root, path }: Known, like?: string): Leaving => ({
  kind: "ghost",
  root: root.path,
  path,
  ...(like === undefined ? {} : { like }),
});

/** By what a file is known that CRIU made from a ghost: others can make one of its name meanwhile. */
const likeGhost = ({ mode, uid, gid, mtim }: GhostFileEntry, mapped: boolean): string =>
  [
    mode,
    mapped ? "" : uid,
    mapped ? "" : gid,
    mtim ? mtim.tv_sec * 1_000_000n + mtim.tv_usec : "",
  ].join(":");

/** NAME, or what CRIU takes where it is there, below the directories that it makes. */
function linked(place: Known, like: string): Leaving[] {
  if (isThere(place)) {
    const other = { ...place, path: `${place.path}.cr_link` };
    return isThere(other) ? [] : [leaving(other, like)];
  }
  const made = [...upward(dirname(place.path))].filter((path) => !place.root.look(path).ok);
  return [...made.toReversed().map((path) => leaving({ ...place, path })), leaving(place, like)];
}

/** What of all this is not there now. */
export function ghostLeavings(context: Context): Leaving[] {
  const { namespaces } = context;
  const ghosts = ghostsOf(context).flatMap(({ ghost, place, reg }): Leaving[] => {
    const own = isDirectory(ghost) ? place : trimmed(place);
    const made = isThere(own) ? [] : [leaving(own)];
    const name = namespaces.place(reg.name, reg.mnt_id);
    if (isDirectory(ghost) || !name.known) return made;
    return [...made, ...linked(name, likeGhost(ghost, namespaces.created.user))];
  });
  const links = linksOf(context).flatMap(({ reg, place }): Leaving[] => {
    const name = namespaces.place(reg.name, reg.mnt_id);
    const found = place.root.look(place.path, false);
    return name.known && found.ok ? linked(name, `${found.stat.dev}:${found.stat.ino}`) : [];
  });
  return [...ghosts, ...links];
}

/** The names that CRIU removes. */
export const linkRemapLeavings = (context: Context): Leaving[] =>
  linksOf(context).flatMap(({ place }): Leaving[] =>
    place.root.look(place.path, false).ok
      ? [{ kind: "name", root: place.root.path, path: place.path }]
      : [],
  );
