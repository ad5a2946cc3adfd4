/** Make a directory and its missing parents inside a root, and take back exactly those that were made. */
import { O_PATH } from "../sys/linux.ts";
import { closeSync, constants, fstatSync } from "node:fs";
import type { MakeDirectory } from "../checks/index.ts";
import { walkRepair } from "../plan/safe.ts";
import { EEXIST, ENOENT, ENOTEMPTY, EPERM, errorText } from "../sys/errno.ts";
import { fchmod, fchown, mkdirat, openEntry, rmdirat } from "../sys/files.ts";
import { asUser } from "../sys/process.ts";
import { join } from "../sys/path.ts";
import { namesAt } from "../sys/small-files.ts";
import { inodeOf, namesOf, type WalkInside } from "../sys/walk.ts";
import { placeOf } from "./place.ts";
import type { Step } from "./step.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/** The mode a directory has between mkdir and fchmod: closed to others until its owner is right. */
const UNFINISHED = 0o700;
const SET_GID = 0o2000;

/**
 * Carry out a `mkdir` repair. Parents that are missing too are made 0755, of the owner of the directory that they are
 * made in. Each is made at the end of a walk of its own, through descriptors: what anybody puts on the way meanwhile
 * is judged as if it had been there before. Returns undefined, or what failed.
 */
export function makeDirectory(
  repair: MakeDirectory,
  record: (step: Step) => void,
): string | undefined {
  const name = namesOf(repair.path).at(-1);
  // One more than there are names: somebody may be removing what is made.
  for (let left = namesOf(repair.path).length; left >= 0; left -= 1) {
    const way = walkRepair(repair);
    if (!way.ok) return way.problem;
    try {
      const [parent] = way.missing;
      if (parent === undefined) return makeIn(way, name!, repair, record);
      const attributes = { mode: 0o755, uid: way.uid, gid: way.gid };
      const problem = makeIn(way, parent, attributes, record);
      if (problem !== undefined) return problem;
    } finally {
      closeSync(way.fd);
    }
  }
  return `${repair.path}: its directories are removed as they are made`;
}

/** In a step's place for an inode: there was nothing to make after all. */
const NOT_OURS = "";

/** How a directory is to be. */
type Properties = Pick<MakeDirectory, "mode" | "uid" | "gid">;

function makeIn(
  { fd: parent, at, inode, user, root }: Extract<WalkInside, { ok: true }>,
  name: string,
  { mode, uid, gid }: Properties,
  record: (step: Step) => void,
): string | undefined {
  const path = join(at, name);
  const step = { action: "mkdir", root, path, parent: inode } as const;
  const fails = (errno: number) => (errno < 0 ? `${path}: ${errorText(errno)}` : undefined);
  let problem: string | undefined;
  const make = () => {
    const made = mkdirat(parent, name, UNFINISHED);
    const theirs = made === -EEXIST; // somebody else made it meanwhile
    const fd = made < 0 && !theirs ? made : openEntry(parent, name, DIRECTORY);
    if (fd < 0) return fails(fd);
    try {
      if (!theirs && !isFresh(fd, user)) return `${path}: replaced by somebody else; left alone`;
      record({ ...step, inode: theirs ? NOT_OURS : inodeOf(fd) });
      if (theirs) return undefined;
      return fails((user === undefined ? fchown(fd, uid, gid) : 0) || fchmod(fd, mode));
    } finally {
      closeSync(fd);
    }
  };
  record(step);
  if (user === undefined) return make();
  // In a user's own directories whatever he does meanwhile, he can only make us do what he could do himself.
  const became = asUser(uid, gid, () => (problem = make()));
  return became ? problem : fails(-EPERM);
}

/** Whether it is the directory that was made just now: in a directory of a user it might be another by now. */
function isFresh(fd: number, user: number | undefined): boolean {
  const { uid, mode } = fstatSync(fd);
  const made = uid === (user ?? process.geteuid!()) && (mode & 0o7777 & ~SET_GID) === UNFINISHED;
  return made && namesAt(fd, ".")?.length === 0;
}

/**
 * Remove what the steps of one directory made, if it still is that directory and is empty.
 * Returns undefined when it is gone, or what is left and why.
 */
export function unmakeDirectory(step: Step): string | undefined {
  if (step.inode === NOT_OURS) return undefined;
  const place = placeOf(step);
  if (!place.ok) return place.left;
  const { fd: parent, name } = place;
  try {
    const fd = openEntry(parent, name, O_PATH | constants.O_DIRECTORY);
    if (fd < 0) return fd === -ENOENT ? undefined : `${step.path}: ${errorText(fd)}`;
    // Killed between mkdir and the second record, recriu left the directory unfinished: then its mode tells it.
    const ours =
      step.inode === undefined
        ? (fstatSync(fd).mode & 0o777) === UNFINISHED
        : inodeOf(fd) === step.inode;
    closeSync(fd);
    if (!ours)
      return step.inode === undefined
        ? undefined
        : `${step.path}: replaced by somebody else; left alone`;
    const removed = rmdirat(parent, name);
    if (removed === -ENOTEMPTY) return `${step.path}: in use by now; left alone`;
    return removed < 0 ? `${step.path}: ${errorText(removed)}` : undefined;
  } finally {
    closeSync(parent);
  }
}
