/** A container runtime puts CRIU into the container's cgroups before it asks; what is no part of the container leaves them. */
import { readFileSync } from "node:fs";
import { join } from "../sys/path.ts";
import { cgroupDirectory } from "../host/cgroups.ts";
import { listCgroupMounts } from "../host/hierarchies.ts";

/** The files to write a pid to, so that it is in the cgroups of process `client` where this process is not. */
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
