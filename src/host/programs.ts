/** Programs that CRIU starts, found as execvp(3) finds them. */
import { constants } from "node:fs";
import { statAt } from "../sys/look.ts";
import { join, searched } from "../sys/path.ts";
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
  const path = process.env.PATH ?? "/bin:/usr/bin";
  const found = searched(path)
    .map((directory) => join(directory, name))
    .find(runnable);
  if (found !== undefined) return found;
  return path.split(":").every((directory) => directory.startsWith("/")) ? undefined : name;
}
