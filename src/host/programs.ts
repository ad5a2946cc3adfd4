/** Programs that CRIU starts, found as execvp(3) finds them. */
import { constants } from "node:fs";
import { join } from "pathe";
import { access } from "../sys/files.ts";

/** Where the program is; undefined when it cannot be run. `path` is that of the environment. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const places = name.includes("/")
    ? [name]
    : (path ?? "/bin:/usr/bin").split(":").map((directory) => join(directory || ".", name));
  return places.find((place) => access(place, constants.X_OK) >= 0);
}
