import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

export interface Hierarchy {
  readonly version: 1 | 2;
  /** v1: the controllers or `name=…`; v2: those that children of its root may use. */
  readonly controllers: string[];
  readonly mount: string;
}

/** The cgroup hierarchies that are mounted here, proc_pid_mountinfo(5). */
export function hierarchies(): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const mount = before.split(" ")[4] ?? "";
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") {
      const controllers = readFileSync(join(mount, "cgroup.controllers"), "utf8").trim();
      found.push({ version: 2, controllers: controllers ? controllers.split(" ") : [], mount });
    } else if (type === "cgroup") {
      const controllers = options.split(",").filter((option) => !/^(rw|ro|xattr)$/.test(option));
      found.push({ version: 1, controllers, mount });
    }
  }
  return found;
}

/** A cgroup goes a little after the last process in it: until then it is busy. Throws when it is after ten seconds. */
export function removeCgroup(directory: string): void {
  for (let tries = 1000; ; tries -= 1)
    try {
      return rmdirSync(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || tries === 0) throw error;
      Bun.sleepSync(10);
    }
}
