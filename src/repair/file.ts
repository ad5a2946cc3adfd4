/** Put a file back that was taken along with the images. */
import { closeSync, constants, ftruncateSync, futimesSync, writeSync } from "node:fs";
import type { PutFile } from "../checks/index.ts";
import { piecesOf } from "../image/index.ts";
import { errorText } from "../sys/errno.ts";
import { createEntry } from "../sys/files.ts";
import { writeAll } from "../sys/own-file.ts";
import { openRegular } from "../sys/regular.ts";
import { setXattr } from "../sys/xattrs.ts";
import { makeDirectory } from "./directory.ts";
import { putAside } from "./aside.ts";
import { makeEntry, UNFINISHED } from "./entry.ts";
import { linkAgain } from "./link.ts";
import type { Step } from "./step.ts";

const NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Carry out a `file` repair, with the directories above it that are missing, or once the other file is put aside. `twin`: another of its
 * names that was put back before, and is the same file again where one file can have both. Returns undefined, or what failed.
 */
export function putFile(
  repair: PutFile,
  record: (step: Step) => void,
  twin?: string,
): string | undefined {
  const { root, directories, from, aside, link } = repair;
  for (const above of directories) {
    const problem = makeDirectory({ action: "mkdir", root, ...above }, record);
    if (problem !== undefined) return problem;
  }
  const source = openRegular(from, false);
  if (!source.ok) return `${from}: ${source.problem}`;
  try {
    const problem = aside === undefined ? undefined : putAside(repair, aside, record);
    if (problem !== undefined) return problem;
    const other = link ?? twin;
    if (other !== undefined) {
      const failed = linkAgain(repair, other, record);
      if (failed === undefined) return undefined;
      // What the plan has shown is done or fails; what was only hoped for is let be.
      if (link !== undefined && failed.apart !== true) return failed.problem;
    }
    return makeEntry(repair, record, {
      create: (parent, name) => createEntry(parent, name, NEW, UNFINISHED),
      finish: (fd, path) => fill(fd, source.fd, repair) ?? dress(fd, repair, path),
      last: (fd, path) => setAttributes(fd, repair, path, isCapability),
    });
  } finally {
    closeSync(source.fd);
  }
}

/** Write the bytes that were sealed, and no others. Returns undefined, or what failed. */
export function fill(
  fd: number,
  source: number,
  { size, sha256, from, sparse }: PutFile,
): string | undefined {
  const hash = new Bun.CryptoHasher("sha256");
  let left = size;
  try {
    for (const piece of piecesOf(source, from)) {
      if (piece.length > left) return notThose(from);
      hash.update(piece);
      if (sparse) writeHoled(fd, piece, size - left);
      else writeAll(fd, piece);
      left -= piece.length;
    }
    if (sparse) ftruncateSync(fd, size);
  } catch (error) {
    return `${from}: ${(error as Error).message}`;
  }
  return left === 0 && hash.digest("hex") === sha256 ? undefined : notThose(from);
}

const notThose = (from: string): string => `${from}: its bytes are not those that were sealed`;

/** Zeros of so many bytes, from one of their multiples on, become a hole. */
const HOLE = Buffer.alloc(1 << 16);

function writeHoled(fd: number, piece: Uint8Array, at: number): void {
  for (let from = 0; from < piece.length; from += HOLE.length) {
    const part = piece.subarray(from, from + HOLE.length);
    if (HOLE.subarray(0, part.length).equals(part)) continue;
    for (let done = 0; done < part.length;)
      done += writeSync(fd, part, done, part.length - done, at + from + done);
  }
}

/** File capabilities, which a file loses when it is given to another owner, or written to. */
const isCapability = (name: string): boolean => name === "security.capability";

/** What it was besides its bytes, but for owner, mode and what goes with those. */
function dress(fd: number, repair: PutFile, path: string): string | undefined {
  const problem = setAttributes(fd, repair, path, (name) => !isCapability(name));
  if (problem !== undefined) return problem;
  const time = new Date(repair.mtime ?? NaN);
  try {
    if (!Number.isNaN(time.getTime())) futimesSync(fd, new Date(), time);
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
  return undefined;
}

function setAttributes(
  fd: number,
  { xattrs }: PutFile,
  path: string,
  wanted: (name: string) => boolean,
): string | undefined {
  for (const [name, value] of Object.entries(xattrs).filter(([each]) => wanted(each))) {
    const set = setXattr(fd, name, Buffer.from(value, "base64"));
    if (set < 0) return `${path}: ${name}: ${errorText(set)}`;
  }
  return undefined;
}
