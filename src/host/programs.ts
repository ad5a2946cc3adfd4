/** Programs that CRIU starts, found as execvp(3) finds them. */
import { constants } from "node:fs";
import { statAt } from "../sys/look.ts";
import { join } from "../sys/path.ts";
import { access } from "../sys/stat.ts";

function runnable(path: string): boolean {
  const stat = statAt(path);
  return typeof stat !== "number" && stat.isFile() && access(path, constants.X_OK) === 0;
}

/**
 * Where the program is; undefined when nowhere. The name itself where PATH has relative directories, which CRIU sees
 * from elsewhere.
 */
export function findProgram(name: string): string | undefined {
  if (name.includes("/")) return runnable(name) ? name : undefined;
  const directories = (process.env.PATH ?? "/bin:/usr/bin").split(":");
  const found = directories
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => join(directory, name))
    .find(runnable);
  if (found !== undefined) return found;
  return directories.every((directory) => directory.startsWith("/")) ? undefined : name;
}
