/** Directories that the tree has for itself (--isolate-dir): what is there shines through, what it makes and removes others do not see. */
import type { Host } from "../host/index.ts";
import { unescapeMountinfo } from "../host/cgroups.ts";
import { dirname } from "../sys/path.ts";
import type { Context, Finding } from "./finding.ts";

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

/** Why a directory cannot be the tree's own; undefined: it can. */
export function notPrivate(path: string, host: Host): string | undefined {
  if (
    !path.startsWith("/") ||
    path === "/" ||
    path.split("/").some((name) => /^\.?\.?$/.test(name) && name !== "")
  )
    return "not an absolute path of a directory below /";
  if (/[,:\\\n]/.test(path))
    return "a name with a comma, a colon or a backslash cannot be mounted so";
  if (host.entry(path)?.isDirectory() !== true) return "not a directory";
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

/** A name that has to be the tree's own; `hide`: as if nothing were there. */
export const ownName = (path: string, hide = false): NonNullable<Finding["apart"]> => ({
  dir: dirname(path),
  ...(hide && { hide: path }),
});
