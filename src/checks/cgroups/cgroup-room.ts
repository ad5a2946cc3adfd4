/** Room in a hierarchy: for one more cgroup, and for a task in it (cgroups(7), cpuset(7)). */
import { upward } from "../../host/upward.ts";
import { dirname } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import type { SavedDirectory } from "./cgroup-tree.ts";

/** What a cpuset of cgroup v1 lacks of what a process needs in it: a new one has neither unless they are written into it. */
export function idleCpuset(
  { host }: Context,
  directory: string,
  controllers: readonly string[],
  saved: SavedDirectory | undefined,
): string | undefined {
  if (!controllers.includes("cpuset")) return undefined;
  return ["cpuset.cpus", "cpuset.mems"].find((name) => {
    if (host.exists(directory)) return host.read(`${directory}/${name}`)?.trim() === "";
    const cloned = host.read(`${dirname(directory)}/cgroup.clone_children`)?.trim();
    return cloned === "0" && !saved?.properties.get(name);
  });
}

/** Why no cgroup can be made below `at`, if so: cgroup.max.descendants and cgroup.max.depth of it and those above. */
export function roomProblem({ host }: Context, at: string, wanted: string): string | undefined {
  const levels = (path: string) => path.split("/").length;
  for (const up of upward(at)) {
    if (!host.exists(`${up}/cgroup.type`)) break;
    const most = Number.parseInt(host.read(`${up}/cgroup.max.descendants`) ?? "max", 10);
    const has = Number(/^nr_descendants (\d+)$/m.exec(host.read(`${up}/cgroup.stat`) ?? "")?.[1]);
    if (has + levels(wanted) - levels(at) > most)
      return `${up}/cgroup.max.descendants allows ${most} cgroups, and ${has} are there`;
    const depth = Number.parseInt(host.read(`${up}/cgroup.max.depth`) ?? "max", 10);
    if (levels(wanted) - levels(up) > depth)
      return `${up}/cgroup.max.depth allows ${depth} levels of cgroups`;
  }
  return undefined;
}
