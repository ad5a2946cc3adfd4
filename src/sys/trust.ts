/** Whether others can change what recriu is about to run or to obey, without node:fs: it is asked before every restore. */
import { ENOENT, ENOTDIR, errorText } from "./errno.ts";
import { AT_FDCWD, MOST_LINKS, OTHERS_WRITE, STICKY, S_IFMT } from "./linux.ts";
import { linkAt, readAt } from "./small-files.ts";
import { type Holder, holderOf } from "./stat.ts";
import { absolute } from "./working-directory.ts";

const S_IFLNK = 0o120000;
const S_IFDIR = 0o040000;

/** Links of the kernel's, which lead to a file and not to a path (proc(5)): what they seem to say may be another file. */
const MAGIC = /^\/proc\/\d+\/(?:task\/\d+\/)?(?:cwd|exe|root|(?:fd|map_files|ns)\/[^/]+)$/;

/**
 * How a user other than root and this process's could put something else at `path`, or write into what is
 * there: by a directory or link on the way, or by the file itself. Undefined when none can, or when nothing is there.
 */
export function changeable(path: string): string | undefined {
  const ahead = absolute(path).split("/");
  const way: string[] = [];
  let links = 0;
  /** How many names lead to what has no path, so that only the kernel knows what is above it; 0: none do. */
  let unnamed = 0;
  for (;;) {
    const at = `/${way.join("/")}`;
    const holder = holderOf(at, false);
    if (typeof holder === "number") return undefinedIfMissing(at, holder);
    const link = (holder.mode & S_IFMT) === S_IFLNK;
    const weak = weakness(at, holder, link);
    if (weak !== undefined) return weak;
    if (link) {
      const target = MAGIC.test(at) ? undefined : linkAt(AT_FDCWD, at);
      if (++links > MOST_LINKS) return `${at} leads nowhere: too many links`;
      if (target === undefined) {
        const there = weakTarget(at);
        if (there !== undefined) return there;
        unnamed = way.length;
      } else {
        if (target.startsWith("/")) way.length = 0;
        else way.pop();
        ahead.unshift(...target.split("/"));
      }
    }
    let name = ahead.shift();
    while (name === "" || name === ".") name = ahead.shift();
    if (name === undefined) return undefined;
    if (way.length < unnamed) unnamed = 0;
    if (name === ".." && unnamed === 0) way.pop();
    else way.push(name);
  }
}

const undefinedIfMissing = (at: string, errno: number): string | undefined =>
  errno === -ENOENT || errno === -ENOTDIR
    ? undefined
    : `${at} cannot be looked at: ${errorText(errno)}`;

function weakTarget(at: string): string | undefined {
  const holder = holderOf(at, true);
  return typeof holder === "number" ? undefinedIfMissing(at, holder) : weakness(at, holder, false);
}

function weakness(at: string, { uid, mode }: Holder, link: boolean): string | undefined {
  if (!isTrusted(uid)) return `${at} belongs to uid ${uid}`;
  if (link || (mode & OTHERS_WRITE) === 0) return undefined;
  // In a sticky directory each has only his own names to change.
  if ((mode & S_IFMT) === S_IFDIR && (mode & STICKY) !== 0) return undefined;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  return `${at} can be written to by others than its owner (mode ${octal})`;
}

/** What the kernel shows for users that a user namespace does not have. */
const OVERFLOW = 65534;

const isTrusted = (uid: number): boolean =>
  uid === 0 || uid === process.geteuid!() || (uid === OVERFLOW && !mapsEverybody());

/** In a user namespace ids without a mapping, the machine's root among them, are all 65534: user_namespaces(7). */
const mapsEverybody = (): boolean =>
  /^\s*0\s+0\s+4294967295\s*$/.test(readAt(AT_FDCWD, "/proc/self/uid_map") ?? "0 0 4294967295");

/** The first of the programs that `fits` and no other user can change (`how`), and what is said of those before it that others can. */
export function firstSafe(
  paths: readonly string[],
  fits: (path: string) => boolean,
  how: (path: string) => string | undefined = changeable,
): { path: string | undefined; passed: string[] } {
  const passed: string[] = [];
  for (const path of paths) {
    if (!fits(path)) continue;
    const weak = how(path);
    if (weak === undefined) return { path, passed };
    passed.push(`${path} is passed over: ${weak}`);
  }
  return { path: undefined, passed };
}
