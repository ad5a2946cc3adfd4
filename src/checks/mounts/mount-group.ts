import { upward } from "../../host/upward.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { compatible, imageOf, type Mount, savedMounts } from "./external.ts";
import { oldWay, shares } from "./mount-groups.ts";
import { lookOnHost } from "./mount-sources.ts";

/** The host path that a mount will be made from; undefined where CRIU makes its file system. */
const placeOf = ({ request }: Context, { isRoot, source }: Mount): string | undefined =>
  source ?? (isRoot ? request.root : undefined);

/** Whether what a mount is made from holds what another one is; undefined where that cannot be seen. */
function holds(context: Context, wide: string, narrow: string): boolean | undefined {
  const [outer, inner] = [wide, narrow].map((path) => lookOnHost(context, path));
  if (!outer?.ok || !inner?.ok) return undefined;
  if (outer.stat.dev !== inner.stat.dev) return false;
  for (const at of upward(narrow)) {
    const found = lookOnHost(context, at);
    if (!found?.ok || found.stat.dev !== outer.stat.dev) return false;
    if (found.stat.ino === outer.stat.ino) return true;
  }
  return false;
}

/** Whether a root in the images is another one or below it. */
const below = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);

export const mountGroup: Check = {
  title: "Mounts that shared what is below them are made from different ones here",
  reads:
    "shared_id, master_id and root in mountpoints-*.img; file system and place of what --root and --external mnt[…] name; --mntns-compat-mode",
  why:
    "Two mounts of one file system that share were one mount bound twice. CRIU has the second take its sharing from the first, and the kernel allows that only where " +
    "the first holds the second: not where options bind them from two places. Made the old way each shares on its own.",
  proof: "criu",
  answers: ["option", "person"],
  run(context) {
    if (compatible(context)) return [];
    const groups = Map.groupBy(
      savedMounts(context).filter(shares),
      ({ entry }) => `${entry.shared_id ?? 0}:${entry.master_id ?? 0}`,
    );
    return groups.values().flatMap((mounts): Problem[] => {
      const shortest = Math.min(...mounts.map(({ entry }) => entry.root.length));
      // Of several the first in the images.
      const first = mounts.find(({ entry }) => entry.root.length === shortest)!;
      const from = placeOf(context, first);
      const torn = mounts.find((mount) => {
        const place = placeOf(context, mount);
        return (
          mount !== first &&
          from !== undefined &&
          place !== undefined &&
          below(mount.entry.root, first.entry.root) &&
          holds(context, from, place) === false
        );
      });
      if (torn === undefined) return [];
      return [
        {
          severity: "blocker",
          image: imageOf(torn),
          subject: torn.at,
          message: `${torn.at} and ${first.at} were one mount in two places; here ${placeOf(context, torn)} is not in ${from}`,
          criu_message: `mnt-v2: Failed to copy sharing from ${first.entry.mnt_id} to ${torn.entry.mnt_id}`,
          remedy: oldWay(context),
        },
      ];
    });
  },
};
