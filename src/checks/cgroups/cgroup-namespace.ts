import { knows } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";
import { ignore } from "./cgroup-set-missing.ts";
import { directoryOf, members, setOf, yardOf } from "./cgroup-tree.ts";

export const cgroupNamespace: Check = {
  title: "The tree's cgroup namespace does not come back",
  reads: "cgns_prefix in cgroup.img; the cgroup that is the namespace's root",
  why:
    "To make a cgroup namespace again, CRIU first moves the root task into the cgroup that is its root, which cgroup2 refuses where that " +
    "one passes controllers on. With --manage-cgroups=ignore a CRIU before 4.3 makes no new namespace at all, and says nothing: the tree sees " +
    "this machine's paths.",
  proof: "harm",
  answers: ["choice"],
  run(context) {
    const { checkpoint, criu, request, host } = context;
    if (checkpoint.cgroup === undefined || checkpoint.root?.core === undefined) return [];
    const rootSet = setOf(checkpoint.root.core);
    const spaced = members(context).filter(
      ({ sets, prefix }) => rootSet !== undefined && sets.includes(rootSet) && prefix !== undefined,
    );
    const shared = { task: checkpoint.root.pid, image: "cgroup.img" };
    if (spaced.length > 0 && request.manageCgroups.value === "ignore") {
      if (knows(criu?.version, "cgroupNamespaceIgnored", false)) return [];
      return [
        {
          ...shared,
          severity: "warning",
          subject: `set ${rootSet}`,
          message: "the tree had a cgroup namespace of its own; --manage-cgroups=ignore makes none",
          remedy: {
            kind: "option",
            text: "let CRIU make the cgroups and the namespace",
            option: "--manage-cgroups=soft",
            automatic: false,
          },
        },
      ];
    }
    return spaced.values().flatMap(({ controllers, path, prefix }): Problem[] => {
      const root = path.slice(0, prefix);
      const directory = root === path ? undefined : directoryOf(context, controllers, root);
      const inner =
        directory === undefined || controllers[0] !== "" || !host.exists(`${directory}/cgroup.type`)
          ? ""
          : (host.read(`${directory}/cgroup.subtree_control`)?.trim() ?? "");
      if (inner === "" || host.read(`${directory}/cgroup.type`)?.trim() !== "domain") return [];
      return [
        {
          ...shared,
          severity: "blocker",
          subject: directory!,
          message: `${directory} is to be the root of the tree's cgroup namespace, but passes controllers (${inner}) on, so no process may enter it`,
          criu_message: `cg: couldn't set cgns prefix ${yardOf(controllers)}/${root}/cgroup.procs`,
          remedy: ignore(
            "restore without a cgroup namespace of its own, and without its old limits",
          ),
        },
      ];
    });
  },
};
