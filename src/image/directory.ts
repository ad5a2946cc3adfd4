/** An images directory: names, sizes, and bytes of single files. Everything in it may be hostile, links and FIFOs too. */
import { closeSync, readdirSync, readSync, realpathSync, type Stats, statSync } from "node:fs";
import { EIO, ENOENT, ENOTDIR, errorText } from "../sys/errno.ts";
import { canCall } from "../sys/libc.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { openRegular, type Regular, regularAt } from "../sys/regular.ts";
import { listAt, smallFile, standIn } from "../sys/small-files.ts";
import { type Stat, statOf } from "../sys/stat.ts";
import type { Fault } from "./fault.ts";
import type { Source } from "./frame.ts";

export interface ImageDirectory {
  readonly path: string;
  /** The path without links. */
  readonly real: string;
  /** Every name in it. */
  readonly names: ReadonlySet<string>;
  /** Of a pack without pages: bytes of the images that were left out, those of parents as `parent/NAME`. They are in no listing. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** Bytes of a file; undefined where there is none, or what is there is no regular file (a FIFO, a device). */
  size(file: string): number | undefined;
  /** Bytes of it that its file system keeps no room for: holes, which read as zeros. */
  holes(file: string): number;
  /** Use a file's bytes. The file is closed afterwards. */
  read<T>(
    file: string,
    use: (source: Source) => T,
  ): { ok: true; value: T } | { ok: false; fault: Fault };
}

export type DirectoryResult = { ok: true; directory: ImageDirectory } | { ok: false; fault: Fault };

/** Smaller files are read at once, larger ones in windows of this size. */
const AT_ONCE = 1 << 20;

export function openImageDirectory(
  path: string,
  leftOut: ImageDirectory["leftOut"] = new Map(),
): DirectoryResult {
  const failed = (kind: Fault["kind"], problem: string, criu: string): DirectoryResult => ({
    ok: false,
    fault: {
      file: path,
      offset: undefined,
      kind,
      problem,
      criu_message: `Can't open dir ${path}: ${criu}`,
    },
  });
  const listed = new Set<string>();
  const special = new Set<string>();
  const isFast = canCall();
  const result = (isFast ? listAt : listSlowly)(AT_FDCWD, path, (name, regular) => {
    listed.add(name);
    if (!regular || !isFast) special.add(name);
  });
  if (result === -ENOENT)
    return failed("missing", "there is no such directory", "No such file or directory");
  if (result === -ENOTDIR) return failed("unreadable", "it is not a directory", "Not a directory");
  const why = errorText(result);
  if (result < 0) return failed("unreadable", `it cannot be read: ${why}`, why);
  let real: string;
  try {
    real = realpathSync.native(path);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return failed("unreadable", message, String(code));
  }
  const sizes = new Map<string, number>();
  const extents = new Map<string, Extent | undefined>();
  const stand = isFast ? standIn(path) : { path, fd: -1 };
  const extentOf = isFast ? extentAt : extentSlowly;
  const extentOnce = (file: string): Extent | undefined => {
    let extent = extents.get(file);
    if (extent === undefined && !extents.has(file)) {
      extent = listed.has(file) ? extentOf(`${path}/${file}`) : undefined;
      extents.set(file, extent);
    }
    return extent;
  };
  return {
    ok: true,
    directory: {
      path,
      real,
      names: listed,
      leftOut,
      size: (file) => sizes.get(file) ?? extentOnce(file)?.size ?? leftOut.get(file),
      holes(file) {
        const { size = 0, stored = 0 } = extentOnce(file) ?? {};
        return Math.max(0, size - stored);
      },
      // Asking the listing first keeps a million names that a hostile pstree.img makes up cheap.
      read(file, use) {
        if (!listed.has(file)) return notThere(file);
        const small = special.has(file) ? undefined : smallFile(stand, file);
        if (typeof small === "object") {
          sizes.set(file, small.length);
          return { ok: true, value: use(inMemory(file, `${real}/${file}`, small)) };
        }
        const opened = small === undefined ? openRegular(`${path}/${file}`) : regularAt(small);
        if (opened.ok) {
          extents.set(file, extentIn(opened.stat));
          sizes.delete(file);
        }
        return readFile(opened, real, file, use);
      },
    },
  };
}

/** As `listAt`, where libc cannot be called. */
function listSlowly(_: number, path: string, tell: Parameters<typeof listAt>[2]): number {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      tell(entry.name, entry.isFile());
    return 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -EIO;
  }
}

/** Bytes of a file, and those that its file system keeps room for. */
type Extent = Pick<Stat, "size" | "stored">;

const extentIn = ({ size, blocks }: Stats): Extent => ({ size, stored: blocks * 512 });

/** Of a regular file; a link that loops or leads nowhere is none, and reading it says why. */
function extentAt(path: string): Extent | undefined {
  const stat = statOf(path);
  return typeof stat === "object" && stat.regular ? stat : undefined;
}

/** The same, where libc cannot be called. */
function extentSlowly(path: string): Extent | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? extentIn(stat) : undefined;
  } catch {
    return undefined;
  }
}

function notThere(file: string): { ok: false; fault: Fault } {
  const problem = "it is not there";
  return {
    ok: false,
    fault: { file, offset: undefined, kind: "missing", problem, criu_message: null },
  };
}

function readFile<T>(
  opened: Regular,
  real: string,
  file: string,
  use: (source: Source) => T,
): { ok: true; value: T } | { ok: false; fault: Fault } {
  const failed = (problem: string): { ok: false; fault: Fault } => ({
    ok: false,
    fault: {
      file,
      offset: undefined,
      kind: "unreadable",
      problem,
      criu_message: `Unable to open ${file}`,
    },
  });
  if (!opened.ok) return opened.errno === -ENOENT ? notThere(file) : failed(opened.problem);
  const { fd, stat } = opened;
  try {
    return {
      ok: true,
      value: use({ ...sourceOf(fd, file, `${real}/${file}`, stat.size), stored: storedOf(stat) }),
    };
  } catch (error) {
    // Of the kernel's errors EIO is the likely one (a bad disk); anything else thrown is a bug.
    if ((error as NodeJS.ErrnoException).syscall !== undefined)
      return failed((error as Error).message);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** A file system keeps small files elsewhere than in blocks. */
const storedOf = ({ size, blocks }: Stats): number => Math.min(size, Math.max(blocks * 512, 4096));

function sourceOf(fd: number, file: string, path: string, size: number): Source {
  const read = (offset: number, length: number) => {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset));
  };
  if (size > AT_ONCE) {
    let from = 0;
    let window: Buffer = Buffer.alloc(0);
    const windowed = (offset: number, length: number) => {
      if (length > AT_ONCE) return read(offset, length);
      if (offset < from || offset + length > from + window.length) {
        window = read(offset, AT_ONCE);
        from = offset;
      }
      return window.subarray(offset - from, offset - from + length);
    };
    return { file, path, size, read: windowed };
  }
  return inMemory(file, path, read(0, size));
}

const inMemory = (file: string, path: string, all: Uint8Array): Source => ({
  file,
  path,
  size: all.length,
  all,
  read: (offset, length) => all.subarray(offset, offset + length),
});
