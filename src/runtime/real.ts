/** The OCI runtime that recriu stands in front of. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { join } from "pathe";

const usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The runtime `name` (a path, or a name in PATH and the usual places) that is not recriu itself; undefined: none. */
export function findRuntime(name: string, path: string | undefined): string | undefined {
  if (name.includes("/")) return runnable(name) ? name : undefined;
  const directories = [...(path ?? "").split(":").filter((dir) => dir.startsWith("/")), ...usual];
  return directories.map((dir) => join(dir, name)).find(runnable);
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
