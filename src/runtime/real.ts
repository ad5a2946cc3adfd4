/** The OCI runtime that recriu stands in front of. */
import { realpathSync, statSync } from "node:fs";
import { join } from "../sys/path.ts";
import { access, X_OK } from "../sys/stat.ts";
import { firstSafe } from "../sys/trust.ts";

const usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * The runtime `name` (a path, or a name in PATH and the usual places) that is not recriu itself; and what is said of those
 * that were not taken because others could change them.
 */
export function findRuntime(
  name: string,
  path: string | undefined,
): { path: string | undefined; passed: readonly string[] } {
  if (name.includes("/")) return { path: runnable(name) ? name : undefined, passed: [] };
  const directories = [...(path ?? "").split(":").filter((dir) => dir.startsWith("/")), ...usual];
  const candidates = directories.map((dir) => join(dir, name));
  return firstSafe([...new Set(candidates)], runnable);
}

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
