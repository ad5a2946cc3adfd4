/** The files that a tree uses outside of its images, copied beside them: each once, named by what is in it. */
import {
  closeSync,
  constants,
  fstatSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import type { Along, HostPlace } from "../checks/index.ts";
import {
  type Above,
  BESIDE,
  besideOf,
  FILES,
  type NeededFile,
  packedPiece,
  PIECE,
  type Sum,
  type Taken,
} from "../image/index.ts";
import { type Neighbours, neighboursOf, PRIVATE_FILE } from "./neighbours.ts";
import { EEXIST, errorText } from "../sys/errno.ts";
import { fchmod, handle, mkdirat, openEntry, unlinkat } from "../sys/files.ts";
import { replaceFile, writeAll } from "../sys/own-file.ts";
import { tidying } from "../sys/garbage.ts";
import { basename, dirname, join } from "../sys/path.ts";
import { inodeOf, openNamed } from "../sys/walk.ts";
import { xattrsOf } from "../sys/xattrs.ts";
import { upward } from "../host/upward.ts";

/** `left`: what was not taken, and why. */
export interface TakenAlong {
  readonly files: NeededFile[];
  readonly directories: Above[];
  readonly left: { path: string; why: string }[];
  readonly bytes: number;
  /** How many of them stand beside another seal, too, and are one file with that. */
  readonly shared: number;
}

/** Those of the file's own; labels of security modules are the machine's. */
const ATTRIBUTES = /^(?:user\.|system\.posix_acl_access$|security\.capability$)/;
const PRIVATE_DIRECTORY = 0o700;

/**
 * Copy what is `needed` into recriu.files in `dir`, but for files of more than `limit` bytes. What an earlier seal took stays
 * (`forgetOthers`). Throws what cannot be read or written.
 */
export function takeAlong(
  dir: string,
  { needed, places }: { needed: readonly Along[]; places: readonly HostPlace[] },
  limit: number,
): TakenAlong {
  closeSync(openBeside(dir));
  using neighbours = neighboursOf(dir);
  const dumped = statSync(join(dir, "inventory.img")).mtimeMs;
  const sums = new Map<string, number>();
  const above = new Map(places.flatMap(directoriesAt).map((each) => [each.path, each]));
  const left: TakenAlong["left"] = [];
  const linked = new Map<string, Taken>();
  const take = ({ file, place }: Along): NeededFile => {
    const why = reasonToLeave(file, place, limit);
    const opened = why === undefined ? place.root.open(place.path) : undefined;
    if (opened?.ok !== true) {
      left.push({ path: file.path, why: why ?? opened!.problem });
      return file;
    }
    try {
      const inode = opened.stat.nlink > 1 ? inodeOf(opened.fd) : undefined;
      const taken = linked.get(inode ?? "") ?? {
        ...copy(opened.fd, opened.stat, dir, neighbours),
        newer: opened.stat.mtimeMs > dumped,
        ...(inode !== undefined && { inode }),
      };
      if (inode !== undefined) linked.set(inode, taken);
      sums.set(taken.sha256, opened.stat.size);
      if (place.path === file.path)
        for (const each of directoriesAt({ ...place, path: dirname(place.path) }))
          above.set(each.path, each);
      return { ...file, size: opened.stat.size, taken };
    } catch (error) {
      throw new Error(`${file.path}: ${(error as Error).message}`, { cause: error });
    } finally {
      closeSync(opened.fd);
    }
  };
  const files = needed.map(take);
  const directories = [...above.values()].toSorted((a, b) => a.path.length - b.path.length);
  const bytes = [...sums.values()].reduce((sum, size) => sum + size, 0);
  return { files, directories, left, bytes, shared: neighbours.shared };
}

/** Remove what stands in recriu.files and none of `files` is: once a manifest stands that names those, and never before. */
export function forgetOthers(dir: string, files: readonly NeededFile[]): void {
  const named = new Set(files.map(({ taken }) => taken && basename(besideOf(dir, taken))));
  const beside = openBeside(dir);
  try {
    for (const name of readdirSync(handle(beside)))
      if (BESIDE.test(name) && !named.has(name)) unlinkat(beside, name);
  } finally {
    closeSync(beside);
  }
}

function reasonToLeave({ size }: NeededFile, { root, path }: HostPlace, limit: number) {
  const kernel = root.kernelFs(path);
  if (kernel !== undefined) return `it is the kernel's own (${kernel})`;
  return size > limit ? `it has ${size} bytes, more than --file-limit` : undefined;
}

/** The directory for them, which only its owner reads. */
function openBeside(dir: string): number {
  const opened = openNamed(dir);
  if (!opened.ok) throw new Error(opened.problem);
  try {
    const made = mkdirat(opened.fd, FILES, PRIVATE_DIRECTORY);
    const fd = openEntry(opened.fd, FILES, constants.O_RDONLY | constants.O_DIRECTORY);
    const failed = made < 0 && made !== -EEXIST ? made : fd;
    if (failed < 0) throw new Error(`${join(dir, FILES)}: ${errorText(failed)}`);
    fchmod(fd, PRIVATE_DIRECTORY);
    return fd;
  } finally {
    closeSync(opened.fd);
  }
}

function copy(
  fd: number,
  { uid, gid, size, blocks }: Stats,
  dir: string,
  neighbours: Neighbours,
): Omit<Taken, "newer"> {
  const sha256 = hashed(fd, size);
  const xattrs = xattrsOf(fd);
  if (typeof xattrs === "number") throw new Error(`its attributes: ${errorText(xattrs)}`);
  const target = besideOf(dir, { sha256, packed: true });
  const encoded = [...xattrs]
    .filter(([name]) => ATTRIBUTES.test(name))
    .map(([name, value]) => [name, value.toString("base64")]);
  return {
    sha256,
    packed: neighbours.share(basename(target), sha256) ?? write(target, fd, size, sha256),
    uid,
    gid,
    xattrs: Object.fromEntries(encoded) as Taken["xattrs"],
    ...(blocks * 512 < size && { sparse: true }),
  };
}

/** Read again, for its copy, which has to be of the sum that it is named by. */
function write(target: string, fd: number, size: number, sha256: string): Sum {
  const tidy = tidying();
  const hash = new Bun.CryptoHasher("sha256");
  let length = 0;
  replaceFile(target, PRIVATE_FILE, (out) => {
    const pack = (piece: Uint8Array) => {
      for (const part of packedPiece(piece)) {
        hash.update(part);
        length += part.length;
        writeAll(out, part);
      }
      tidy();
    };
    if (hashed(fd, size, pack) !== sha256)
      throw new Error(
        `it was written to while ${basename(dirname(target))} was filled; seal again`,
      );
  });
  return { size: length, sha256: hash.digest("hex") };
}

/** The sha256 of a file's first `size` bytes. */
function hashed(fd: number, size: number, each: (piece: Uint8Array) => void = () => {}): string {
  const hash = new Bun.CryptoHasher("sha256");
  const chunk = Buffer.allocUnsafe(PIECE);
  for (let at = 0; at < size;) {
    const read = readSync(fd, chunk, 0, Math.min(PIECE, size - at), at);
    if (read === 0) throw new Error("it shrank while it was read");
    hash.update(chunk.subarray(0, read));
    each(chunk.subarray(0, read));
    at += read;
  }
  if (fstatSync(fd).size !== size) throw new Error("it grew while it was read");
  return hash.digest("hex");
}

/** A directory and those above it, as they are. */
function directoriesAt({ root, path }: HostPlace): Above[] {
  return [...upward(path)].flatMap((at) => {
    const found = root.look(at);
    if (at === "/" || !found.ok) return [];
    const { mode, uid, gid } = found.stat;
    return [{ path: at, mode: mode & 0o7777, uid, gid }];
  });
}
