/**
 * A container runtime puts CRIU into the container's cgroups before it asks. What is no part of the container leaves them, and before it
 * takes any memory: that would be the container's.
 */
import { readFileSync } from "node:fs";
import { join } from "../sys/path.ts";
import { cgroupDirectory } from "../host/cgroups.ts";
import { listCgroupMounts } from "../host/hierarchies.ts";

/** The files that take a process into the cgroups of process `client` in which this one is not: it writes `0` to each. */
export function cgroupsOf(client: number): string[] {
  const current = new Set(membership("self"));
  const mounts = listCgroupMounts();
  return membership(client)
    .filter((line) => !current.has(line))
    .flatMap((line) => {
      const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      const directory = cgroupDirectory(mounts, controllers.split(","), path);
      return directory === undefined ? [] : [join(directory, "cgroup.procs")];
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
