import { userns_entry } from "../../image/tables/namespaces.ts";
import type { Check, Problem } from "../finding.ts";
import type { IdRange } from "../grants.ts";
import { notThisContainer } from "./bundle.ts";

export const bundleUsers: Check = {
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
      !namespaces.created.user ||
      request.joinNs.some(({ ns }) => ns === "user")
    )
      return [];
    const image = `userns-${root?.ids?.user_ns_id}.img`;
    const [entry] = checkpoint.values(image, userns_entry);
    const wider = (map: "uid_map" | "gid_map", granted: readonly IdRange[] | undefined) =>
      (granted === undefined ? [] : (entry?.[map] ?? []))
        .values()
        .flatMap(({ lower_first: first, count }): Problem[] => {
          if (covers(granted!, { first, count })) return [];
          return [
            {
              severity: "blocker",
              task: root!.pid,
              image,
              subject: `${map} ${first}-${first + count - 1}`,
              message: `the container's user namespace maps to the ids ${first} to ${first + count - 1} of this machine (${map}), which its bundle does not grant`,
              remedy: notThisContainer("bundle-users"),
            },
          ];
        });
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
