/**
 * A walk to a directory that only root, the caller or the owner of the root can lead astray, after systemd's chase()
 * with CHASE_SAFE: one name after the other, each by the descriptor of the directory before it.
 *
 * Users that are trusted: root, the effective one, and the owner of the root of the walk. In another user's directories only
 * what that user could do himself is left to do: from the first of them on everything belongs to him, and no link is
 * followed. Links are followed where only trusted users can make them.
 */
import { MOST_LINKS, OTHERS_WRITE, O_PATH, PATH_MAX, STICKY, WORLD_WRITES } from "./linux.ts";
import { closeSync, constants, fstatSync } from "node:fs";
import { ptr } from "bun:ffi";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, errorText } from "./errno.ts";
import { openEntry } from "./files.ts";
import { call } from "./libc.ts";
import { workingDirectory } from "./working-directory.ts";

const DIRECTORY = O_PATH | constants.O_DIRECTORY;

interface Way {
  readonly ok: true;
  /** The deepest directory on the way that is there (O_PATH). The caller closes it. */
  readonly fd: number;
  /** Its path inside the root, without links. */
  readonly at: string;
  readonly inode: string;
  readonly uid: number;
  readonly gid: number;
  /** The names below it that are not there, in order. Of a file: its name, there or not. */
  readonly missing: readonly string[];
  /** The owner of these directories; undefined: a trusted user. */
  readonly user: number | undefined;
}

/** `problem` names the path on this machine at which the walk ended, and its owner. */
interface Refused {
  readonly ok: false;
  readonly errno: number;
  readonly problem: string;
}

export type Walk = Way | Refused;

interface Rules {
  /** The path of the root on this machine, for `problem`. */
  readonly shown?: string;
  /**
   * The caller named this path himself: the owners of its directories do not count, and only links are judged. For
   * cgroups, too, in which nothing can be moved or linked.
   */
  readonly named?: boolean;
  /** The path is that of a file: its last name is not entered. */
  readonly file?: boolean;
}

/** A directory on the way, held open. */
interface Stand {
  readonly fd: number;
  readonly name: string;
  readonly inode: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly user: number | undefined;
}

/** What tells a file from every other of this machine. */
export function inodeOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

export const namesOf = (path: string): string[] =>
  path.split("/").filter((name) => name !== "" && name !== ".");

/** Walk to the directory `path` as seen from inside the directory `root`; `..` and absolute links do not leave it. */
export function walk(root: number, path: string, rules: Rules = {}): Walk {
  const { shown = "/", named = false, file = false } = rules;
  const trail: Stand[] = [];
  const top = () => trail.at(-1)!;
  const at = () =>
    `/${trail
      .slice(1)
      .map(({ name }) => name)
      .join("/")}`;
  const onHost = (name = "") =>
    `${shown}/${at()}/${name}`.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
  const refuse = (errno: number, problem: string): Refused => ({
    ok: false,
    errno: Math.abs(errno),
    problem,
  });
  const fails = (errno: number, name: string) =>
    refuse(errno, `${onHost(name)}: ${errorText(errno)}`);
  const leave = (length: number) => trail.splice(length).forEach(({ fd }) => closeSync(fd));
  const arrive = (missing: readonly string[]): Way => {
    const { fd, inode, uid, gid, user } = top();
    const way = { ok: true, fd, at: at(), inode, uid, gid, missing, user } as const;
    trail.pop();
    return way;
  };
  const names = namesOf(path);
  if (path.includes("\0") || Buffer.byteLength(path) >= PATH_MAX)
    return refuse(ENAMETOOLONG, `${shown}: a path that is too long, or has a NUL in it`);
  const start = openEntry(root, ".", DIRECTORY);
  if (start < 0) return refuse(start, `${shown}: ${errorText(start)}`);
  trail.push(standOn(start, "", undefined));
  const trusted = new Set([0, process.geteuid!(), top().uid]);
  let links = 0;
  /** How many of `names` come after those of the last link's target. */
  let after = Number.POSITIVE_INFINITY;
  try {
    for (;;) {
      const { fd, mode, user, uid } = top();
      const open = mode & (user === undefined ? OTHERS_WRITE : WORLD_WRITES);
      if (!named && open !== 0 && (mode & STICKY) === 0)
        return refuse(
          EACCES,
          `${onHost()} (of uid ${uid}, mode ${(mode & 0o7777).toString(8).padStart(4, "0")}) can be written to by others than its owner`,
        );
      const name = names.shift();
      if (name === undefined) return arrive([]);
      if (name === "..") {
        leave(Math.max(1, trail.length - 1));
        continue;
      }
      const next = openEntry(fd, name, DIRECTORY);
      if (next >= 0) {
        const stand = standOn(next, name, user);
        const belongs = stand.uid === user || (user === undefined && trusted.has(stand.uid));
        if (named || belongs || user === undefined) {
          trail.push({ ...stand, user: named || belongs ? user : stand.uid });
          continue;
        }
        closeSync(next);
        return refuse(
          EACCES,
          `${onHost(name)} belongs to uid ${stand.uid}, and ${onHost()} to uid ${uid}`,
        );
      }
      if (next === -ENOENT) {
        if (names.length >= after)
          return refuse(ELOOP, `${onHost(name)}, to which a link leads, is not there`);
        if (names.includes("..")) return fails(ENOENT, name);
        return arrive([name, ...names]);
      }
      if (next !== -ENOTDIR && next !== -ELOOP) return fails(next, name);
      const found = linkAt(fd, name);
      if (typeof found === "number") {
        if (found !== 0) return fails(found, name);
        return file && names.length === 0 ? arrive([name]) : fails(ENOTDIR, name);
      }
      const { owner, target } = found;
      if (!trusted.has(owner) || !trusted.has(uid) || (mode & OTHERS_WRITE) !== 0)
        return refuse(
          ELOOP,
          `${onHost(name)} is a link of uid ${owner} to ${target}, in a directory of uid ${uid}${(mode & OTHERS_WRITE) === 0 ? "" : " that others may write to"}`,
        );
      if (++links > MOST_LINKS) return fails(ELOOP, name);
      if (target.startsWith("/")) leave(1);
      after = Math.min(after, names.length);
      names.unshift(...namesOf(target));
    }
  } finally {
    leave(0);
  }
}

function standOn(fd: number, name: string, user: number | undefined): Stand {
  const { uid, gid, mode } = fstatSync(fd);
  return { fd, name, inode: inodeOf(fd), uid, gid, mode, user };
}

/** A link's owner and target, both of the same link; 0 for what is no link, else -errno. */
function linkAt(dir: number, name: string): { owner: number; target: string } | number {
  const fd = openEntry(dir, name, O_PATH);
  if (fd < 0) return fd;
  try {
    const stat = fstatSync(fd);
    if (!stat.isSymbolicLink()) return 0;
    const [empty, space] = [Buffer.alloc(1), Buffer.alloc(PATH_MAX)];
    const length = call((c) => c.readlinkat(fd, ptr(empty), ptr(space), BigInt(PATH_MAX)));
    return length < 0 ? length : { owner: stat.uid, target: space.toString("utf8", 0, length) };
  } finally {
    closeSync(fd);
  }
}

/** Walk to a path of this machine that the caller named himself; a relative one begins at the working directory. */
export function walkNamed(path: string, rules: Rules = {}): Walk {
  const here = path.startsWith("/") ? "" : workingDirectory();
  if (here === undefined)
    return { ok: false, errno: ENOENT, problem: `${path}: the working directory has no name` };
  const root = openEntry(-100, "/", DIRECTORY);
  if (root < 0) return { ok: false, errno: -root, problem: `/: ${errorText(root)}` };
  try {
    return walk(root, `${here}/${path}`, { named: true, ...rules });
  } finally {
    closeSync(root);
  }
}

/** A directory that the caller named: its descriptor (O_PATH) and its path without links. One that is not there is a problem. */
export function openNamed(path: string): Walk {
  const way = walkNamed(path);
  if (!way.ok || way.missing.length === 0) return way;
  closeSync(way.fd);
  return { ok: false, errno: ENOENT, problem: `${path}: ${errorText(ENOENT)}` };
}

export type WalkInside = (Way & { readonly root: string }) | Refused;

/**
 * Walk to the directory of an entry `path` inside the directory `root` of this machine, which the caller named. The way has
 * the root's own path without links, too.
 */
export function walkInside(root: string, path: string, rules: Rules = {}): WalkInside {
  const opened = openNamed(root);
  if (!opened.ok) return opened;
  try {
    const directory = namesOf(path).slice(0, -1).join("/");
    const way = walk(opened.fd, directory, { shown: root, ...rules });
    return way.ok ? { ...way, root: opened.at } : way;
  } finally {
    closeSync(opened.fd);
  }
}
