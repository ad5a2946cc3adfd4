/**
 * The names under which CRIU makes deleted files again for the moment, and which a CRIU that fails can leave: of each its own
 * (NAME.cr.N.ghost, or link_remap.N of the dump), and NAME, to which it is linked while it is opened (NAME.cr_link where
 * NAME is taken), in directories that CRIU makes for it (rfi_remap() of files-reg.c).
 */
import { upward } from "../../host/upward.ts";
import type { GhostFileEntry } from "../../image/index.ts";
import { basename, dirname, join } from "../../sys/path.ts";
import type { Context, Leftover } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { ghostsOf, isDirectory } from "./ghosts.ts";
import { linksOf } from "./link-remap-missing.ts";

const isThere = ({ root, path }: HostPlace): boolean => root.look(path, false).ok;

/** CRIU goes up to the first directory that is there. */
function trimmed(place: HostPlace): HostPlace {
  const there = [...upward(dirname(place.path))].find((path) => place.root.look(path).ok) ?? "/";
  return { ...place, path: join(there, basename(place.path)) };
}

const leftover = ({ root, path }: HostPlace, like?: string): Leftover => ({
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
function linked(place: HostPlace, like: string): Leftover[] {
  if (isThere(place)) {
    const other = { ...place, path: `${place.path}.cr_link` };
    return isThere(other) ? [] : [leftover(other, like)];
  }
  const made = [...upward(dirname(place.path))].filter((path) => !place.root.look(path).ok);
  return [...made.toReversed().map((path) => leftover({ ...place, path })), leftover(place, like)];
}

/** What of all this is not there now. */
export function ghostLeftovers(context: Context): Leftover[] {
  const { namespaces } = context;
  const ghosts = ghostsOf(context).flatMap(({ ghost, place, reg }): Leftover[] => {
    const temporary = isDirectory(ghost) ? place : trimmed(place);
    const made = isThere(temporary) ? [] : [leftover(temporary)];
    const name = namespaces.place(reg.name, reg.mnt_id);
    if (isDirectory(ghost) || !name.onHost) return made;
    return [...made, ...linked(name, likeGhost(ghost, namespaces.created.user))];
  });
  const links = linksOf(context).flatMap(({ reg, place }): Leftover[] => {
    const name = namespaces.place(reg.name, reg.mnt_id);
    const found = place.root.look(place.path, false);
    return name.onHost && found.ok ? linked(name, `${found.stat.dev}:${found.stat.ino}`) : [];
  });
  return [...ghosts, ...links];
}

/** The names that CRIU removes. */
export const linkRemapLeftovers = (context: Context): Leftover[] =>
  linksOf(context).flatMap(({ place }): Leftover[] =>
    place.root.look(place.path, false).ok
      ? [{ kind: "name", root: place.root.path, path: place.path }]
      : [],
  );
