/** A container runtime puts CRIU into the container's cgroups before it asks; what is no part of the container leaves them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "../sys/path.ts";
import { cgroupDirectory } from "../host/cgroups.ts";
import { listCgroupMounts } from "../host/hierarchies.ts";

/** Enter the cgroups of process `client`, or stay where that is not allowed. */
export function joinCgroupsOf(client: number): void {
  for (const directory of othersOf(client))
    try {
      writeFileSync(join(directory, "cgroup.procs"), String(process.pid));
    } catch {
      // gone, or not to be entered
    }
}

/** The directories of its cgroups in which this process is not. */
function othersOf(client: number): string[] {
  const current = new Set(membership("self"));
  const mounts = listCgroupMounts();
  return membership(client)
    .filter((line) => !current.has(line))
    .flatMap((line) => {
      const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      const directory = cgroupDirectory(mounts, controllers.split(","), path);
      return directory === undefined ? [] : [directory];
    });
}

/** Lines of /proc/PID/cgroup (cgroups(7)); none for a process that is gone. */
function membership(pid: number | "self"): string[] {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
  } catch {
    return [];
  }
}
