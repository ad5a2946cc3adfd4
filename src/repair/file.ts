/** Put a file back that was taken along with the images, and take back exactly the one that was put there. */
import { closeSync, constants, fstatSync, futimesSync, readSync } from "node:fs";
import type { PutFile } from "../checks/index.ts";
import { walkRepair } from "../plan/safe.ts";
import { EEXIST, ENOENT, EPERM, errorText } from "../sys/errno.ts";
import { createEntry, fchmod, fchown, openEntry, unlinkat } from "../sys/files.ts";
import { O_PATH } from "../sys/linux.ts";
import { writeAll } from "../sys/own-file.ts";
import { dirname, join } from "../sys/path.ts";
import { asUser } from "../sys/process.ts";
import { openRegular } from "../sys/regular.ts";
import { inodeOf, namesOf, type WalkInside } from "../sys/walk.ts";
import { setXattr } from "../sys/xattrs.ts";
import { makeDirectory } from "./directory.ts";
import { placeOf } from "./place.ts";
import type { Step } from "./step.ts";

const CHUNK = 1 << 20;
const NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The mode that a file has until all of it is there. */
const UNFINISHED = 0o600;

/** Carry out a `file` repair, with the directories above it that are missing. Returns undefined, or what failed. */
export function putFile(repair: PutFile, record: (step: Step) => void): string | undefined {
  const { root, directories, path } = repair;
  for (const above of directories) {
    const problem = makeDirectory({ action: "mkdir", root, ...above }, record);
    if (problem !== undefined) return problem;
  }
  const way = walkRepair(repair);
  if (!way.ok) return way.problem;
  try {
    const { uid, gid } = way;
    if (way.missing.length === 0) return putIn(way, repair, record);
    const above = { action: "mkdir", root, path: dirname(path), mode: 0o755, uid, gid } as const;
    return makeDirectory(above, record) ?? putFile({ ...repair, directories: [] }, record);
  } finally {
    closeSync(way.fd);
  }
}

function putIn(
  { fd: parent, at, inode, user, root }: Extract<WalkInside, { ok: true }>,
  repair: PutFile,
  record: (step: Step) => void,
): string | undefined {
  const name = namesOf(repair.path).at(-1)!;
  const path = join(at, name);
  const step = { action: "file", root, path, parent: inode } as const;
  const source = openRegular(repair.from, false);
  if (!source.ok) return `${repair.from}: ${source.problem}`;
  let problem: string | undefined;
  const put = (): string | undefined => {
    const fd = createEntry(parent, name, NEW, UNFINISHED);
    if (fd === -EEXIST) return `${path}: somebody else has made it meanwhile`;
    if (fd < 0) return `${path}: ${errorText(fd)}`;
    try {
      record({ ...step, inode: inodeOf(fd) });
      return fill(fd, source.fd, repair) ?? dress(fd, repair, path, user);
    } finally {
      closeSync(fd);
    }
  };
  try {
    record(step);
    if (user === undefined) return put();
    // In a user's own directories whatever he does meanwhile, he can only make us do what he could do himself.
    const became = asUser(repair.uid, repair.gid, () => (problem = put()));
    return became ? problem : `${path}: ${errorText(-EPERM)}`;
  } finally {
    closeSync(source.fd);
  }
}

/** The bytes that were sealed, and no others. */
function fill(fd: number, source: number, { size, sha256, from }: PutFile): string | undefined {
  const hash = new Bun.CryptoHasher("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK);
  let left = size;
  try {
    for (let read = 1; read > 0 && left >= 0;) {
      read = readSync(source, chunk);
      left -= read;
      hash.update(chunk.subarray(0, read));
      if (left >= 0) writeAll(fd, chunk.subarray(0, read));
    }
  } catch (error) {
    return `${from}: ${(error as Error).message}`;
  }
  return left === 0 && hash.digest("hex") === sha256
    ? undefined
    : `${from}: its bytes are not those that were sealed`;
}

/** Owner and attributes before the mode, which opens it to others. */
function dress(fd: number, repair: PutFile, path: string, user: number | undefined) {
  const { uid, gid, mode, mtime, xattrs } = repair;
  const fails = (errno: number) => (errno < 0 ? `${path}: ${errorText(errno)}` : undefined);
  const owned = fails(user === undefined ? fchown(fd, uid, gid) : 0);
  if (owned !== undefined) return owned;
  for (const [name, value] of Object.entries(xattrs)) {
    const set = setXattr(fd, name, Buffer.from(value, "base64"));
    if (set < 0) return `${path}: ${name}: ${errorText(set)}`;
  }
  const opened = fails(fchmod(fd, mode));
  if (opened === undefined && mtime !== undefined) futimesSync(fd, new Date(), new Date(mtime));
  return opened;
}

/** Remove what the steps of one file put there, if it still is that file. Returns undefined when it is gone, or what is left and why. */
export function takeFileBack(step: Step): string | undefined {
  const place = placeOf(step);
  if (!place.ok) return place.left;
  const { fd: parent, name } = place;
  try {
    const fd = openEntry(parent, name, O_PATH);
    if (fd < 0) return fd === -ENOENT ? undefined : `${step.path}: ${errorText(fd)}`;
    const { size, mode } = fstatSync(fd);
    // Killed between creat and the second record, recriu left an empty file.
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
