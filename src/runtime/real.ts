/** The OCI runtime that recriu stands in front of. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { join, searched, usualPlaces } from "../sys/path.ts";
import { firstSafe } from "../sys/trust.ts";

/**
 * The runtime `name` (a path, or a name in PATH and the usual places) that is not recriu itself; and what is said of those
 * that were not taken because others could change them.
 */
export function findRuntime(
  name: string,
  path: string | undefined,
): { path: string | undefined; passed: readonly string[] } {
  if (name.includes("/")) return { path: runnable(name) ? name : undefined, passed: [] };
  const candidates = searched(path, usualPlaces).map((dir) => join(dir, name));
  return firstSafe(candidates, runnable);
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return (
      statSync(path).isFile() && realpathSync.native(path) !== realpathSync.native(process.execPath)
    );
  } catch {
    return false;
  }
}
