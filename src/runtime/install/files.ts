/**
 * The files and links of a system below a root, of which only the root's owner has a say where they are: links on the way
 * stay inside, and those of other users are not followed. Everything throws what went wrong.
 */
import { O_PATH } from "../../sys/linux.ts";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { EEXIST, ENOENT, errorText } from "../../sys/errno.ts";
import { isAbsent, statAt } from "../../sys/look.ts";
import { createEntry, handle, mkdirat, openEntry, rmdirat } from "../../sys/files.ts";
import { writeAll } from "../../sys/own-file.ts";
import { namesOf, walkInside } from "../../sys/walk.ts";

/** Prefix of all paths, for tests and for images of other systems: "" is this one. */
export type Root = string;

/** What is, or was, at a path. */
export type Content = { link: string } | { base64: string; mode: number } | null;

const { O_DIRECTORY, O_WRONLY, O_CREAT, O_EXCL } = constants;

/** Use the directory of `path`: its descriptor, and a path for each name in it. Undefined when it is not there and not to be made. */
function inDirectory<T>(
  root: Root,
  path: string,
  make: boolean,
  use: (at: (name: string) => string, fd: number) => T,
): T | undefined {
  const way = walkInside(root === "" ? "/" : root, path, { named: true });
  if (!way.ok) {
    if (way.errno === ENOENT && !make) return undefined;
    throw new Error(way.problem);
  }
  let { fd } = way;
  try {
    for (const name of way.missing) {
      if (!make) return undefined;
      const made = mkdirat(fd, name, 0o755);
      const next = made < 0 && made !== -EEXIST ? made : openEntry(fd, name, O_PATH | O_DIRECTORY);
      if (next < 0) throw new Error(`${root}${path}: ${errorText(next)}`);
      closeSync(fd);
      fd = next;
    }
    return use((name) => `${handle(fd)}/${name}`, fd);
  } finally {
    closeSync(fd);
  }
}

const nameOf = (path: string): string => namesOf(path).at(-1)!;

export function contentOf(root: Root, path: string): Content {
  const content = inDirectory(root, path, false, (at): Content => {
    const file = at(nameOf(path));
    const stat = statAt(file, false);
    if (typeof stat === "number") {
      if (isAbsent(stat)) return null;
      throw new Error(`${root}${path}: ${errorText(stat)}`);
    }
    if (stat.isSymbolicLink()) return { link: readlinkSync(file) };
    if (!stat.isFile()) throw new Error(`${root}${path} is no file`);
    return { base64: readFileSync(file).toString("base64"), mode: stat.mode & 0o7777 };
  });
  return content ?? null;
}

/** Put a file or link in the place of what is there, at once: readers see the old or the new. Owner and mode stay. */
export function put(root: Root, path: string, content: Exclude<Content, null>): void {
  inDirectory(root, path, true, (at, directory) => {
    const [file, name] = [at(nameOf(path)), `${nameOf(path)}.recriu-new`];
    rmSync(at(name), { force: true });
    if ("link" in content) symlinkSync(content.link, at(name));
    else {
      const fd = createEntry(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      if (fd < 0) throw new Error(`${root}${path}: ${errorText(fd)}`);
      try {
        writeAll(fd, Buffer.from(content.base64, "base64"));
        const owner = statAt(file, false);
        if (typeof owner !== "number") fchownSync(fd, owner.uid, owner.gid);
        fchmodSync(fd, content.mode);
      } finally {
        closeSync(fd);
      }
    }
    renameSync(at(name), file);
  });
}

/** A directory goes where nothing is in it. */
export function removeEmpty(root: Root, path: string): void {
  inDirectory(root, path, false, (_, parent) => void rmdirat(parent, nameOf(path)));
}

export function remove(root: Root, path: string): void {
  inDirectory(root, path, false, (at) => rmSync(at(nameOf(path)), { force: true }));
}
