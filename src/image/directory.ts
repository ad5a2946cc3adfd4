/** An images directory: names, sizes, and bytes of single files. Everything in it may be hostile, links and FIFOs too. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { join } from "pathe";
import type { Fault } from "./fault.ts";
import type { Source } from "./frame.ts";

export interface ImageDirectory {
  readonly path: string;
  /** Every name in it with its size; what is no regular file (a FIFO, a device) has none. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Use a file's bytes. The file is closed afterwards. */
  read<T>(
    file: string,
    use: (source: Source) => T,
  ): { ok: true; value: T } | { ok: false; fault: Fault };
}

export type DirectoryResult = { ok: true; directory: ImageDirectory } | { ok: false; fault: Fault };

/** Smaller files are read at once. */
const AT_ONCE = 1 << 20;

export function openImageDirectory(path: string): DirectoryResult {
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
  let names: string[];
  let real: string;
  try {
    names = readdirSync(path);
    real = realpathSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT")
      return failed("missing", "there is no such directory", "No such file or directory");
    if (code === "ENOTDIR") return failed("unreadable", "it is not a directory", "Not a directory");
    return failed("unreadable", (error as Error).message, String(code));
  }
  const sizes = new Map<string, number>();
  for (const name of names) {
    const stat = statSync(join(path, name), { throwIfNoEntry: false });
    if (stat?.isFile()) sizes.set(name, stat.size);
  }
  return {
    ok: true,
    directory: { path, sizes, read: (file, use) => readFile(path, real, file, use) },
  };
}

function readFile<T>(
  path: string,
  real: string,
  file: string,
  use: (source: Source) => T,
): { ok: true; value: T } | { ok: false; fault: Fault } {
  const failed = (kind: Fault["kind"], problem: string): { ok: false; fault: Fault } => ({
    ok: false,
    fault: {
      file,
      offset: undefined,
      kind,
      problem,
      criu_message: kind === "missing" ? null : `Unable to open ${file}`,
    },
  });
  let fd: number;
  try {
    // Links are followed: CRIU does too. Not waiting, so that a FIFO cannot hold us.
    fd = openSync(join(path, file), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT"
      ? failed("missing", "it is not there")
      : failed("unreadable", (error as Error).message);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return failed("unreadable", "it is not a regular file");
    return { ok: true, value: use(sourceOf(fd, file, join(real, file), stat.size)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EIO")
      return failed("unreadable", "the disk cannot read it (EIO)");
    throw error;
  } finally {
    closeSync(fd);
  }
}

function sourceOf(fd: number, file: string, path: string, size: number): Source {
  const read = (offset: number, length: number) => {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset));
  };
  if (size > AT_ONCE) return { file, path, size, read };
  const all = read(0, size);
  return {
    file,
    path,
    size: all.length,
    read: (offset, length) => all.subarray(offset, offset + length),
  };
}
