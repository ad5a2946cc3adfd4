/** A file or a FIFO that is made where it is missing, and taken back if it still is that one. */
import { closeSync, fstatSync } from "node:fs";
import type { Repair } from "../checks/index.ts";
import { walkRepair } from "../plan/safe.ts";
import { EEXIST, ENOENT, EPERM, errorText } from "../sys/errno.ts";
import { fchmod, fchown, openEntry, unlinkat } from "../sys/files.ts";
import { O_PATH } from "../sys/linux.ts";
import { dirname, join } from "../sys/path.ts";
import { asUser } from "../sys/process.ts";
import { inodeOf, namesOf, type WalkInside } from "../sys/walk.ts";
import { makeDirectory } from "./directory.ts";
import { placeOf } from "./place.ts";
import type { Step } from "./step.ts";

/** In a step's place for an inode: nothing was made after all. */
const NOT_OURS = "";

/** The mode that an entry has until all of it is there. */
export const UNFINISHED = 0o600;

type Entry = Exclude<Repair, { action: "mkdir" }>;

interface Making {
  /** Make it, with the mode UNFINISHED and only if there is none: a descriptor or -errno. */
  readonly create: (parent: number, name: string) => number;
  /** Of one that only gets a name more: its `dev:ino`. `create` returns 0, and there is nothing to finish. */
  readonly inode?: string;
  /** What else it needs before its owner and mode. */
  readonly finish?: (fd: number, path: string) => string | undefined;
  /** What chown(2) would take away again. */
  readonly last?: (fd: number, path: string) => string | undefined;
}

/**
 * Make the entry of a repair, and the directories above it that are missing, 0755 and of the owner of the directory that they are made
 * in. Returns undefined, or what failed.
 */
export function makeEntry(
  repair: Entry,
  record: (step: Step) => void,
  making: Making,
): string | undefined {
  const way = walkRepair(repair);
  if (!way.ok) return way.problem;
  try {
    if (way.missing.length === 0) return makeIn(way, repair, record, making);
    const { root, path } = repair;
    const { uid, gid } = way;
    const above = { action: "mkdir", root, path: dirname(path), mode: 0o755, uid, gid } as const;
    return makeDirectory(above, record) ?? makeEntry(repair, record, making);
  } finally {
    closeSync(way.fd);
  }
}

function makeIn(
  { fd: parent, at, inode, user, root }: Extract<WalkInside, { ok: true }>,
  { path: asked, action, uid, gid, mode }: Entry,
  record: (step: Step) => void,
  { create, inode: linked, finish = () => undefined, last = () => undefined }: Making,
): string | undefined {
  const name = namesOf(asked).at(-1)!;
  const path = join(at, name);
  const step = { action, root, path, parent: inode } as const;
  const fails = (errno: number) => (errno < 0 ? `${path}: ${errorText(errno)}` : undefined);
  let problem: string | undefined;
  const make = (): string | undefined => {
    const fd = create(parent, name);
    if (fd === -EEXIST) {
      record({ ...step, inode: NOT_OURS });
      return `${path}: somebody else has made it meanwhile`;
    }
    if (fd < 0) return fails(fd);
    if (linked !== undefined) return undefined;
    try {
      record({ ...step, inode: inodeOf(fd) });
      return (
        finish(fd, path) ??
        fails((user === undefined ? fchown(fd, uid, gid) : 0) || fchmod(fd, mode)) ??
        last(fd, path)
      );
    } finally {
      closeSync(fd);
    }
  };
  record(linked === undefined ? step : { ...step, inode: linked });
  if (user === undefined) return make();
  // In a user's own directories whatever he does meanwhile, he can only make us do what he could do himself.
  const became = asUser(uid, gid, () => (problem = make()));
  return became ? problem : fails(-EPERM);
}

/** Remove what the steps of one entry made, if it still is that one. Returns undefined when it is gone, or what is left and why. */
export function unmakeEntry(step: Step): string | undefined {
  if (step.inode === NOT_OURS) return undefined;
  const place = placeOf(step);
  if (!place.ok) return place.left;
  const { fd: parent, name } = place;
  try {
    const fd = openEntry(parent, name, O_PATH);
    if (fd < 0) return fd === -ENOENT ? undefined : `${step.path}: ${errorText(fd)}`;
    const { size, mode } = fstatSync(fd);
    // Killed between creat and the second record, recriu left an empty one.
    const ours =
      step.inode === undefined
        ? size === 0 && (mode & 0o7777) === UNFINISHED
        : inodeOf(fd) === step.inode;
    closeSync(fd);
    if (!ours)
      return step.inode === undefined
        ? undefined
        : `${step.path}: replaced by somebody else; left alone`;
    const removed = unlinkat(parent, name);
    return removed < 0 ? `${step.path}: ${errorText(removed)}` : undefined;
  } finally {
    closeSync(parent);
  }
}
