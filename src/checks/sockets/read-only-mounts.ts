/** Mounts of the tree's own that were made read-only after a Unix socket was bound in them: CRIU mounts them so, and binds then. */
import { knows } from "../../criu/index.ts";
import { findMount } from "../../image/index.ts";
import { EROFS, errorText } from "../../sys/errno.ts";
import { dirname } from "../../sys/path.ts";
import type { Context, Problem } from "../finding.ts";
import { imageOf, type Mount, MS_RDONLY, savedMounts, shownWritable } from "../mounts/external.ts";
import { refusal } from "./sockets.ts";
import {
  about,
  type AtPath,
  givenName,
  hasPath,
  inode,
  isBound,
  namedSockets,
} from "./unix-entries.ts";

export function readOnlyMounts(context: Context): Problem[] {
  const all = savedMounts(context);
  const found = new Map<Mount, Problem>();
  for (const bound of namedSockets(context).filter(hasPath).filter(isBound)) {
    const mount = mountOf(all, bound);
    if (mount === undefined || found.has(mount) || (mount.entry.flags & MS_RDONLY) === 0) continue;
    // Before 4.2 a root is what --root has, whatever its flags were.
    if (mount.isRoot && !knows(context.criu?.version, "rootFlags", false)) continue;
    found.set(mount, readOnly(context, bound, mount, all));
  }
  return [...found.values()];
}

function mountOf(all: readonly Mount[], { entry, name }: AtPath): Mount | undefined {
  const own = all.find((mount) => mount.entry.mnt_id === entry.mnt_id);
  const image = (own ?? all[0])?.image;
  const mounts = all.filter((mount) => mount.image === image);
  const entries = mounts.map((mount) => mount.entry);
  const holds = findMount(entries, name.path, own?.entry.mnt_id);
  return mounts.find((mount) => mount.entry === holds?.mount);
}

function readOnly(context: Context, bound: AtPath, mount: Mount, all: readonly Mount[]): Problem {
  const { entry, at, isRoot } = mount;
  // Not the mount alone: its file system, which CRIU makes anew, was made read-only.
  const isWhole = !isRoot && mount.key === undefined && ((entry.sb_flags ?? 0) & MS_RDONLY) !== 0;
  return {
    ...about("blocker", imageOf(mount)),
    subject: at,
    message: `the socket ${bound.name.path} cannot be bound: ${isRoot ? "the root" : `the mount at ${at}`} was made read-only when it was bound, and CRIU makes it so before`,
    criu_message: bound.entry.deleted
      ? `unix: ghost: Can't access ${dirname(bound.name.path)} for socket ${inode(bound.entry)} name ${givenName(bound.entry)}: ${errorText(-EROFS)}`
      : refusal(context, bound, errorText(-EROFS)),
    remedy: isWhole
      ? {
          kind: "human",
          text: "dump again with that file system writable; it can be made read-only when the tree is back",
        }
      : shownWritable(context, mount, all, "CRIU makes the file of a socket in it"),
  };
}
