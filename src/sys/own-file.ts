/** Files that recriu adds to by itself, at paths that its caller named: no user of the machine makes it write to another. */
import { closeSync, constants, fstatSync, readlinkSync, renameSync, writeSync } from "node:fs";
import { EEXIST, ENOENT, EPERM, errorText } from "./errno.ts";
import { createEntry, handle, openEntry, unlinkat } from "./files.ts";
import { statAt } from "./look.ts";
import { basename, dirname } from "./path.ts";
import { openNamed, walkNamed } from "./walk.ts";

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NONBLOCK, O_NOCTTY } = constants;
const WAY = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;

/**
 * Open the file at `path` to add to its end: one that is there already must be a regular file without another name. `make`:
 * its mode where it is not there; without one -ENOENT is the answer then. A descriptor, or why not.
 */
export function openOwnFile(
  path: string,
  make?: number,
): { ok: true; fd: number } | { ok: false; errno: number; problem: string } {
  const way = walkNamed(path, { file: true });
  if (!way.ok) return way;
  const [name, ...others] = way.missing;
  const refuse = (errno: number, why = errorText(errno)) =>
    ({ ok: false, errno: Math.abs(errno), problem: `${path}: ${why}` }) as const;
  try {
    if (name === undefined) return refuse(EPERM, "it is a directory");
    const made =
      make === undefined || others.length > 0
        ? -EEXIST
        : createEntry(way.fd, name, WAY | O_CREAT | O_EXCL, make);
    const fd = made === -EEXIST ? openEntry(way.fd, [name, ...others].join("/"), WAY) : made;
    if (fd < 0) return refuse(fd);
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.nlink === 1) return { ok: true, fd };
    closeSync(fd);
    return refuse(EPERM, stat.isFile() ? "it has other names, too" : "it is no regular file");
  } finally {
    closeSync(way.fd);
  }
}

/** Add `text` to such a file. False when that cannot be done. */
export function appendToOwnFile(path: string, text: string, make: number): boolean {
  const opened = openOwnFile(path, make);
  if (!opened.ok) return false;
  try {
    writeAll(opened.fd, Buffer.from(text));
    return true;
  } catch {
    return false; // a full disk
  } finally {
    closeSync(opened.fd);
  }
}

/**
 * Put a file in the place of `path` at once: a reader finds the old one or the new one, and a link there is replaced, not
 * followed. `write` fills it; `mode` less the umask. Throws what went wrong; then everything is as it was.
 */
export function replaceFile(path: string, mode: number, write: (fd: number) => void): void {
  using file = replacing(path, mode);
  write(file.fd);
  file.done();
}

/** The same for a caller that takes longer to fill `fd`: `done` puts the file there, and what is disposed of before is not there. */
export function replacing(path: string, mode: number): Disposable & { fd: number; done(): void } {
  const opened = openNamed(dirname(path));
  if (!opened.ok) throw new Error(opened.problem);
  const fresh = `.recriu.${crypto.randomUUID()}`;
  // Through the descriptor: the file is renamed in the directory that it was made in.
  const at = (name: string) => `${handle(opened.fd)}/${name}`;
  const problem = irreplaceable(at(basename(path)));
  if (problem !== undefined) {
    closeSync(opened.fd);
    throw new Error(`${path}: ${problem}`);
  }
  const fd = createEntry(opened.fd, fresh, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (fd < 0) {
    closeSync(opened.fd);
    throw new Error(`${path}: ${errorText(fd)}`);
  }
  let there = false;
  return {
    fd,
    done() {
      renameSync(at(fresh), at(basename(path)));
      there = true;
    },
    [Symbol.dispose]() {
      if (!there) unlinkat(opened.fd, fresh);
      closeSync(fd);
      closeSync(opened.fd);
    },
  };
}

/** Why nothing may be put in the place of what is there: `/dev/null` and `/dev/stdout` are what all programs here need. */
function irreplaceable(path: string): string | undefined {
  const stat = statAt(path, false);
  if (typeof stat === "number" || stat.isFile()) return undefined;
  if (!stat.isSymbolicLink()) return "it is no regular file";
  return readlinkSync(path).startsWith("/proc/") ? "it is a name of a descriptor" : undefined;
}

/** All of it, or an error: a file system that is nearly full takes a part. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/**
 * The first of `places` in which a directory of this process's own stays where it is, by its path without links: no other
 * user can put anything in its place. Throws where there is none.
 */
export function safePlace(places: readonly string[]): string {
  const problems = places.map((place) => {
    const way = walkNamed(place, { named: false });
    if (!way.ok) return way.problem;
    closeSync(way.fd);
    if (way.user === undefined && way.missing.length === 0) return { at: way.at };
    return `${place}: ${way.missing.length > 0 ? errorText(ENOENT) : `it belongs to uid ${way.uid}`}`;
  });
  const found = problems.find((each) => typeof each !== "string");
  if (found === undefined) throw new Error(problems.join("; "));
  return (found as { at: string }).at;
}
