/** Make a directory and its missing parents inside a root, and take back exactly those that were made. */
import { closeSync, constants, fstatSync } from "node:fs";
import { basename, dirname } from "../sys/path.ts";
import type { Repair } from "../checks/index.ts";
import { EEXIST, ENOENT, ENOTEMPTY, errorText } from "../sys/errno.ts";
import {
  fchmod,
  fchown,
  mkdirat,
  openDirectory,
  openEntry,
  openInRoot,
  rmdirat,
} from "../sys/files.ts";
import type { Step } from "./journal.ts";

const O_PATH = 0x200000;
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/** The mode a directory has between mkdir and fchmod: nobody else gets in before its owner is right. */
const UNFINISHED = 0o700;

/**
 * Carry out a `mkdir` repair. Parents that are missing too are made 0755 root. Every step goes through a descriptor:
 * a link that appears meanwhile is met as a link and refused.
 * Returns undefined, or what failed.
 */
export function makeDirectory(repair: Repair, record: (step: Step) => void): string | undefined {
  if (repair.path.includes("\0") || repair.path.split("/").includes(".."))
    return `${repair.path}: a path with .. or NUL in it is not made`;
  const root = openDirectory(repair.root);
  if (root < 0) return `${repair.root}: ${errorText(root)}`;
  try {
    return makeBelow(root, repair, repair.path, repair, record);
  } finally {
    closeSync(root);
  }
}

/** In a step's place for an inode: there was nothing to make after all. */
const NOT_OURS = "";

/** How a directory is to be. */
type Properties = Pick<Repair, "mode" | "uid" | "gid">;

const missingParent: Properties = { mode: 0o755, uid: 0, gid: 0 };

function makeBelow(
  root: number,
  repair: Repair,
  path: string,
  own: Properties,
  record: (step: Step) => void,
): string | undefined {
  const parentPath = dirname(path);
  let parent = openInRoot(root, parentPath, DIRECTORY);
  if (parent === -ENOENT && parentPath !== path) {
    const problem = makeBelow(root, repair, parentPath, missingParent, record);
    if (problem !== undefined) return problem;
    parent = openInRoot(root, parentPath, DIRECTORY);
  }
  if (parent < 0) return `${parentPath}: ${errorText(parent)}`;
  try {
    record({ action: "mkdir", root: repair.root, path });
    const made = mkdirat(parent, basename(path), UNFINISHED);
    if (made < 0 && made !== -EEXIST) return `${path}: ${errorText(made)}`;
    const fd = openEntry(parent, basename(path), DIRECTORY);
    if (fd < 0) return `${path}: ${errorText(fd)}`;
    try {
      const theirs = made === -EEXIST; // somebody else made it meanwhile
      record({ action: "mkdir", root: repair.root, path, inode: theirs ? NOT_OURS : inodeOf(fd) });
      if (theirs) return undefined;
      const finished = fchown(fd, own.uid, own.gid) || fchmod(fd, own.mode);
      return finished < 0 ? `${path}: ${errorText(finished)}` : undefined;
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(parent);
  }
}

/** What tells a directory from every other of this machine. */
export function inodeOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

/**
 * Remove what the steps of one directory made, if it still is that directory and is empty.
 * Returns undefined when it is gone, or what is left and why.
 */
export function unmakeDirectory(step: Step): string | undefined {
  if (step.inode === NOT_OURS) return undefined;
  const root = openDirectory(step.root);
  if (root < 0) return `${step.root}: ${errorText(root)}`;
  const parent = openInRoot(root, dirname(step.path), DIRECTORY);
  closeSync(root);
  if (parent < 0) return parent === -ENOENT ? undefined : `${step.path}: ${errorText(parent)}`;
  try {
    const fd = openEntry(parent, basename(step.path), O_PATH | constants.O_DIRECTORY);
    if (fd < 0) return fd === -ENOENT ? undefined : `${step.path}: ${errorText(fd)}`;
    // Killed between mkdir and the second record, recriu left the directory unfinished: then its mode tells it.
    const ours =
      step.inode === undefined
        ? (fstatSync(fd).mode & 0o7777) === UNFINISHED
        : inodeOf(fd) === step.inode;
    closeSync(fd);
    if (!ours)
      return step.inode === undefined
        ? undefined
        : `${step.path}: replaced by somebody else; left alone`;
    const removed = rmdirat(parent, basename(step.path));
    if (removed === -ENOTEMPTY) return `${step.path}: in use by now; left alone`;
    return removed < 0 ? `${step.path}: ${errorText(removed)}` : undefined;
  } finally {
    closeSync(parent);
  }
}
