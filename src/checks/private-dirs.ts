/** Directories that the tree has for itself (--isolate-dir): what is there shines through, what it makes and removes others do not see. */
import type { Host } from "../host/index.ts";
import { unescapeMountinfo } from "../host/cgroups.ts";
import { dirname } from "../sys/path.ts";
import type { Context, Finding } from "./finding.ts";
import type { HostPlace } from "./paths.ts";

type Apart = NonNullable<Finding["apart"]>;

/** One of them, and the names in it that the tree is not to see, though they are there: absolute paths. */
export interface PrivateDir {
  readonly path: string;
  readonly hidden: readonly string[];
}

const isBelow = (path: string, dir: string): boolean => path === dir || path.startsWith(`${dir}/`);

/** The private directory that a path of this machine is in. */
export const privateDirOf = (
  path: string,
  { isolateDirs }: Pick<Context, "isolateDirs">,
): string | undefined => isolateDirs.find((dir) => isBelow(path, dir));

/** Where an absolute path leads, links followed; undefined where that cannot be told. */
export const realOf = (host: Host, path: string): string | undefined => {
  const opened = host.root("/");
  return opened.ok ? opened.root.real(path) : undefined;
};

/** Why a directory cannot be the tree's own; undefined: it can. */
export function notPrivate(path: string, host: Host): string | undefined {
  if (!path.startsWith("/") || path === "/") return "not an absolute path of a directory below /";
  if (/[,:\\\n]/.test(path))
    return "a name with a comma, a colon or a backslash cannot be mounted so";
  if (host.entry(path)?.isDirectory() !== true) return "not a directory";
  const real = realOf(host, path);
  if (real !== path) return `it is ${real ?? "another, which cannot be told"}: name that`;
  const inside = (host.read("/proc/self/mountinfo") ?? "")
    .split("\n")
    .map((line) => unescapeMountinfo(line.split(" ")[4] ?? ""))
    .find((at) => at !== path && isBelow(at, path));
  return inside === undefined ? undefined : `${inside} is mounted in it, which would be hidden`;
}

/** What findings need hidden in each of these. */
export const hiddenIn = (dirs: readonly string[], findings: readonly Finding[]): PrivateDir[] =>
  dirs.map((path) => {
    const hidden = findings.flatMap(({ apart }) => apart?.hide ?? []);
    return {
      path,
      hidden: [...new Set(hidden)].filter((each) => isBelow(each, path) && each !== path),
    };
  });

/** Where the directory of a file has to be the tree's own, wherever links on the way to it lead; null where that cannot be told. */
export function inOwnDir({ root, path }: HostPlace): Apart | null {
  const real = root.real(path);
  return real === undefined ? null : { dir: dirname(real) };
}

/** The same of a name that is to be as if nothing were there; a link at its end is what is there. */
export function asIfFree({ root, path }: HostPlace): Apart | null {
  const real = root.real(path, false);
  return real === undefined ? null : { dir: dirname(real), hide: real };
}

/** The same of a directory. */
export function ownDir({ root }: HostPlace, path: string): Apart | null {
  const dir = root.real(path);
  return dir === undefined ? null : { dir };
}
