import { ownCgroupNamespace } from "../cgroups/cgroup-tree.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { notThisContainer } from "./bundle.ts";

/** Whether the tree would live in the namespaces of this kind that the restore is run in; undefined: not to be told. */
function shared(context: Context, kind: string): boolean | undefined {
  const { namespaces, checkpoint, request } = context;
  if (request.joinNs.some(({ ns }) => ns === kind)) return undefined;
  if (kind === "cgroup") {
    const { ids } = checkpoint.root!;
    const id = checkpoint.inventory?.root_ids?.cgroup_ns_id;
    if (id !== undefined && ids?.cgroup_ns_id === id) return true;
    const created = ownCgroupNamespace(context);
    return created === undefined ? undefined : !created;
  }
  const created = (namespaces.created as Readonly<Record<string, boolean>>)[kind];
  return created === undefined ? undefined : !created;
}

export const bundleNamespace: Check = {
  title: "The container has a namespace by its bundle, and by its images it is this machine's",
  reads:
    "linux.namespaces in config.json; namespaces in ids-*.img and inventory.img, cgns_prefix in cgroup.img; /proc/self/ns",
  why:
    "CRIU makes the namespaces that the images name, whatever the runtime's configuration says. Images of a tree that lived in the machine's own bring it back there: without " +
    "a mount namespace it runs in this machine's root, whichever the runtime names. Clocks apart (CRIU always makes a time namespace), every kind is compared.",
  proof: "harm",
  run(context) {
    const { bundle, checkpoint, host } = context;
    const root = checkpoint.root;
    if (bundle === undefined || root?.ids === undefined) return [];
    return bundle.namespaces.values().flatMap(({ kind, path }): Problem[] => {
      if (shared(context, kind) !== true) return [];
      // The bundle may name this very namespace.
      const here = host.identity(`/proc/self/ns/${kind}`);
      if (path !== undefined && here !== undefined && host.identity(path) === here) return [];
      return [
        {
          severity: "blocker",
          task: root.pid,
          image: `ids-${root.pid}.img`,
          subject: kind,
          message: `by its bundle the container has a ${kind} namespace${path === undefined ? " of its own" : ` (${path})`}; by its images it would live in that of this machine`,
          remedy: notThisContainer("bundle-namespace"),
        },
      ];
    });
  },
};
