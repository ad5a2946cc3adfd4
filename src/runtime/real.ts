/** The OCI runtime that recriu stands in front of. */
import { realpathSync, statSync } from "node:fs";
import { join, searched, usualPlaces } from "../sys/path.ts";
import { access, X_OK } from "../sys/stat.ts";
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

/** How long a runtime is waited for that only has to print something, in milliseconds. */
const PATIENCE = 5000;

/** What a runtime prints; "" where it does not. */
export function saidBy(words: readonly string[]): string {
  try {
    return Bun.spawnSync([...words], {
      stdin: "ignore",
      stderr: "ignore",
      timeout: PATIENCE,
    }).stdout.toString();
  } catch {
    return "";
  }
}

/** A runtime's version as it says it itself; "0" where it does not. */
export const versionOf = (path: string): string =>
  /version (\d+(?:\.\d+)*)/.exec(saidBy([path, "--version"]))?.[1] ?? "0";

function runnable(path: string): boolean {
  try {
    return (
      access(path, X_OK) === 0 &&
      statSync(path).isFile() &&
      realpathSync.native(path) !== realpathSync.native(process.execPath)
    );
  } catch {
    return false;
  }
}
