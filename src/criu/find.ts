/** Find the real CRIU: never recriu itself, however it is called. */
import { join, searched, usualPlaces } from "../sys/path.ts";
import { ENOENT, errorText } from "../sys/errno.ts";
import { access, statOf, X_OK } from "../sys/stat.ts";
import { absolute } from "../sys/working-directory.ts";
import { firstSafe } from "../sys/trust.ts";

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
  const dirs = searched(env.PATH, usualPlaces);
  if (named?.includes("/")) {
    const reason = unusable(named);
    if (reason === undefined) return { ok: true, path: named };
    return { ok: false, problem: `${named} ${reason}`, looked: [named] };
  }
  const name = named ?? "criu";
  const looked = dirs.map((dir) => join(dir, name));
  const { path: found, passed } = firstSafe(
    looked,
    (candidate) => unusable(candidate) === undefined,
  );
  const words = passed.length > 0 ? { passed } : {};
  if (found !== undefined) return { ok: true, path: found, ...words };
  const problem = [`no ${name} in ${dirs.join(", ")}`, ...passed].join("; ");
  return { ok: false, problem, looked, ...words };
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
