/** Where the container lives, held against its bundle: namespaces, the ids of its users, its root. */
import { userns_entry } from "../image/tables/namespaces.ts";
import { ownCgroupNamespace } from "./cgroup-tree.ts";
import type { Check, Context, Finding, Remedy } from "./finding.ts";
import type { IdRange } from "./grants.ts";
import { imageOf, savedMounts } from "./mounts.ts";

/** Nobody but the user can tell whether it is meant. */
export const notThisContainer = (id: string): Remedy => ({
  kind: "human",
  text:
    "do not restore these images as this container; if they are its own and it is meant " +
    `(a process of \`exec --privileged\` has more), RECRIU_IGNORE=${id} goes on`,
  command: null,
});

/** Whether the tree would live in the namespaces of this kind that the restore is run in; undefined: not to be told. */
function shared(context: Context, kind: string): boolean | undefined {
  const { namespaces, checkpoint, request } = context;
  if (request.joinNs.some(({ ns }) => ns === kind)) return undefined;
  if (kind === "cgroup") {
    const { ids } = checkpoint.root!;
    const id = checkpoint.inventory?.root_ids?.cgroup_ns_id;
    if (id !== undefined && ids?.cgroup_ns_id === id) return true;
    const own = ownCgroupNamespace(context);
    return own === undefined ? undefined : !own;
  }
  const own = (namespaces.own as Readonly<Record<string, boolean>>)[kind];
  return own === undefined ? undefined : !own;
}

export const bundleNamespace: Check = {
  id: "bundle-namespace",
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
    return bundle.namespaces.flatMap(({ kind, path }): Finding[] => {
      if (shared(context, kind) !== true) return [];
      // The bundle may name this very namespace.
      const here = host.identity(`/proc/self/ns/${kind}`);
      if (path !== undefined && here !== undefined && host.identity(path) === here) return [];
      return [
        {
          id: "bundle-namespace",
          severity: "blocker",
          task: root.pid,
          image: `ids-${root.pid}.img`,
          subject: kind,
          message: `by its bundle the container has a ${kind} namespace${path === undefined ? " of its own" : ` (${path})`}; by its images it would live in that of this machine`,
          criu_message: null,
          remedy: notThisContainer("bundle-namespace"),
        },
      ];
    });
  },
};

export const bundleUsers: Check = {
  id: "bundle-users",
  title: "The container's user namespace has more ids than its bundle grants",
  reads:
    "linux.uidMappings and linux.gidMappings in config.json; uid_map and gid_map in userns-*.img",
  why:
    "A user namespace maps the container's root to an id of this machine that may do nothing. CRIU writes the map of the images, whatever the " +
    "configuration says: a wider one makes the container's users those of this machine, root too.",
  proof: "images",
  run({ bundle, checkpoint, namespaces, request }) {
    const root = checkpoint.root;
    if (
      bundle === undefined ||
      !namespaces.own.user ||
      request.joinNs.some(({ ns }) => ns === "user")
    )
      return [];
    const image = `userns-${root?.ids?.user_ns_id}.img`;
    const [entry] = checkpoint.values(image, userns_entry);
    const wider = (map: "uid_map" | "gid_map", granted: readonly IdRange[] | undefined) =>
      (granted === undefined ? [] : (entry?.[map] ?? [])).flatMap(
        ({ lower_first: first, count }): Finding[] => {
          if (covers(granted!, { first, count })) return [];
          return [
            {
              id: "bundle-users",
              severity: "blocker",
              task: root!.pid,
              image,
              subject: `${map} ${first}-${first + count - 1}`,
              message: `the container's user namespace maps to the ids ${first} to ${first + count - 1} of this machine (${map}), which its bundle does not grant`,
              criu_message: null,
              remedy: notThisContainer("bundle-users"),
            },
          ];
        },
      );
    return [...wider("uid_map", bundle.users), ...wider("gid_map", bundle.groups)];
  },
};

/** Whether ranges side by side hold all of one. */
function covers(granted: readonly IdRange[], { first, count }: IdRange): boolean {
  let next = first;
  for (const range of granted.toSorted((a, b) => a.first - b.first))
    if (range.first <= next) next = Math.max(next, range.first + range.count);
  return next >= first + count;
}

const READ_ONLY = 1;

export const bundleRoot: Check = {
  id: "bundle-root",
  title: "The container's root is read-only by its bundle, and writable by its images",
  reads: "root.readonly in config.json; flags of the root mount in mountpoints-*.img",
  why: "CRIU mounts the root with the flags of the images, whatever the configuration says. Other mounts, and paths that the bundle masks, are not compared.",
  proof: "harm",
  run(context) {
    if (context.bundle?.readonlyRoot !== true) return [];
    const root = savedMounts(context).find(({ entry }) => entry.mountpoint === "/");
    if (root === undefined || (root.entry.flags & READ_ONLY) !== 0) return [];
    return [
      {
        id: "bundle-root",
        severity: "blocker",
        task: context.checkpoint.root?.pid ?? null,
        image: imageOf(root),
        subject: "/",
        message:
          "by its bundle the container's root is read-only; by its images it would be writable",
        criu_message: null,
        remedy: notThisContainer("bundle-root"),
      },
    ];
  },
};
