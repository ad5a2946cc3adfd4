/** A file that had several names when it was sealed is one file again: what is missing becomes a name more of what is there. link(2) */
import { closeSync } from "node:fs";
import type { PutFile } from "../checks/index.ts";
import { walkRepair, walkToName } from "../plan/safe.ts";
import { errorText, EXDEV } from "../sys/errno.ts";
import { linkHandle, openEntry } from "../sys/files.ts";
import { O_PATH } from "../sys/linux.ts";
import { join } from "../sys/path.ts";
import { type Regular, readRegular } from "../sys/regular.ts";
import { sha256Of } from "../sys/sha256.ts";
import { inodeOf, namesOf } from "../sys/walk.ts";
import { makeEntry } from "./entry.ts";
import type { Step } from "./step.ts";

/**
 * Make the name of a `file` repair one more of the file at `link`, which has to be the one that was sealed. `apart`: on another mount,
 * where no file of this one has a name. Returns undefined, or what failed.
 */
export function linkAgain(
  repair: PutFile,
  link: string,
  record: (step: Step) => void,
): { readonly problem: string; readonly apart?: boolean } | undefined {
  const opened = openName(repair, link);
  if (!opened.ok) return opened;
  const { fd } = opened;
  let linked = 0;
  try {
    const differs = whatDiffers(opened, repair);
    if (differs !== undefined) return { problem: `${link}: ${differs}` };
    const problem = makeEntry(repair, record, {
      inode: inodeOf(fd),
      create: (parent, name) => (linked = linkHandle(fd, parent, name)),
    });
    return problem === undefined ? undefined : { problem, apart: linked === -EXDEV };
  } finally {
    closeSync(fd);
  }
}

/** The file at a name that the walk leads to, itself. */
function openName(repair: PutFile, link: string): Regular {
  const way = walkRepair(repair);
  if (!way.ok) return { ok: false, errno: 0, problem: way.problem };
  closeSync(way.fd);
  const there = walkToName(repair, link, way.user);
  if (!there.ok) return { ok: false, errno: 0, problem: there.problem };
  try {
    const name = namesOf(link).at(-1)!;
    const fd = openEntry(there.fd, name, O_PATH);
    return fd < 0
      ? { ok: false, errno: fd, problem: `${join(there.at, name)}: ${errorText(fd)}` }
      : readRegular(fd);
  } finally {
    closeSync(there.fd);
  }
}

/** Why the file is not the one that was sealed; undefined where it is. */
function whatDiffers(
  { fd, stat }: Extract<Regular, { ok: true }>,
  { size, mode, uid, gid, sha256 }: PutFile,
): string | undefined {
  const isLike =
    stat.size === size && (stat.mode & 0o7777) === mode && stat.uid === uid && stat.gid === gid;
  try {
    return isLike && sha256Of(fd, size) === sha256
      ? undefined
      : "it is not the file that was sealed any more";
  } catch (error) {
    return (error as Error).message;
  }
}
