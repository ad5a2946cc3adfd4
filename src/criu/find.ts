/** Find the real CRIU: never recriu itself, however it is called. */
import { dirname, join, searched, usualPlaces } from "../sys/path.ts";
import { ENOENT, errorText } from "../sys/errno.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { linkAt, namesAt } from "../sys/small-files.ts";
import { access, statOf, X_OK } from "../sys/stat.ts";
import { absolute } from "../sys/working-directory.ts";
import { changeable, firstSafe } from "../sys/trust.ts";

/** `passed`: those that were there and not taken, and how others could change them. */
export type Found =
  | { readonly ok: true; readonly path: string; readonly passed?: readonly string[] }
  /** `looked`: the places tried. */
  | {
      readonly ok: false;
      readonly problem: string;
      readonly looked: readonly string[];
      readonly passed?: readonly string[];
    };

/**
 * The CRIU to run: `given` (--criu, RECRIU_CRIU, the configuration file) if there is one, else the first in PATH and
 * the usual places. What others could change is passed over there, as root is to run it; one that the caller names by
 * its path is his own word.
 */
export function findCriu(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Found {
  if (named?.includes("/")) {
    const reason = unusable(named);
    if (reason === undefined) return { ok: true, path: named };
    return { ok: false, problem: `${named} ${reason}`, looked: [named] };
  }
  const name = named ?? "criu";
  const looked = placesOf(name, env);
  const { path: found, passed } = firstSafe(
    named === undefined ? [...looked, besideRecriu()] : looked,
    (candidate) => unusable(candidate) === undefined,
    weakness,
  );
  const words = passed.length > 0 ? { passed } : {};
  if (found !== undefined) return { ok: true, path: found, ...words };
  const problem = [`no ${name} in ${looked.map(dirname).join(", ")}`, ...passed].join("; ");
  return { ok: false, problem, looked, ...words };
}

/** The other CRIUs that are there, in the order of PATH, each once whatever its names; no other user can change them. */
export function otherCrius(
  first: string,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const seen = new Set([inodeOf(first)]);
  return [...placesOf("criu", env), besideRecriu()].filter((path) => {
    if (seen.has(inodeOf(path)) || unusable(path) !== undefined) return false;
    return weakness(path) === undefined && seen.add(inodeOf(path));
  });
}

/** The CRIU of the archive that this recriu came in (src/pack): a script, and beside it the program and its libraries. */
const besideRecriu = (): string =>
  join(dirname(linkAt(AT_FDCWD, "/proc/self/exe") ?? "/"), "criu", "criu");

/** How others could change it, or what it starts. */
function weakness(path: string): string | undefined {
  if (path !== besideRecriu()) return changeable(path);
  const beside = dirname(path);
  const lib = join(beside, "lib");
  const libraries = (namesAt(AT_FDCWD, lib) ?? []).map((name) => join(lib, name));
  for (const each of [path, join(beside, "criu.bin"), lib, ...libraries]) {
    const how = changeable(each);
    if (how !== undefined) return how;
  }
  return undefined;
}

const placesOf = (name: string, env: Readonly<Record<string, string | undefined>>): string[] =>
  searched(env.PATH, usualPlaces).map((dir) => join(dir, name));

function inodeOf(path: string): string {
  const stat = statOf(path);
  return typeof stat === "number" ? path : `${stat.dev} ${stat.ino}`;
}

/** Why a file is not a CRIU to run; undefined when it may be one. */
function unusable(path: string): string | undefined {
  const stat = statOf(path);
  if (stat === -ENOENT) return "does not exist";
  if (typeof stat === "number") return `cannot be looked at: ${errorText(stat)}`;
  if (!stat.regular) return "is no file";
  if (access(path, X_OK) < 0) return "cannot be executed";
  const recriu = statOf("/proc/self/exe");
  if (typeof recriu !== "number" && recriu.ino === stat.ino && recriu.dev === stat.dev)
    return "is recriu itself";
  return isBunProgram(path, stat.size) ? "is a copy of recriu" : undefined;
}

/** No CRIU is as large as the runtime that recriu carries. */
const leastRuntime = 40 * 1024 * 1024;

/** A copy has another inode; but the section that holds its code is named at the end of the file. */
function isBunProgram(path: string, size: number): boolean {
  if (size < leastRuntime) return false;
  const end = Bun.mmap(absolute(path), { shared: false }).subarray(-256 * 1024);
  return Buffer.from(end).includes("\0.bun\0");
}
