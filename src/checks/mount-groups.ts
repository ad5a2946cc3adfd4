/** Mounts that share what is mounted below them, as CRIU makes such groups anew with MOVE_MOUNT_SET_GROUP (mount-v2.c). */
import { upward } from "../host/upward.ts";
import { criuHas, knownFault, showsOn, versionsOf } from "../criu/known-faults.ts";
import type { Check, Context, Finding, Remedy } from "./finding.ts";
import { lookOnHost } from "./mount-sources.ts";
import { compatible, imageOf, type Mount, savedMounts } from "./mounts.ts";

/** The option that has CRIU make mounts one by one, as it did before. */
const oldWay = ({ request }: Context): Remedy => ({
  kind: "option",
  text: "have the mounts made the old way, each with its sharing",
  command: null,
  option: "--mntns-compat-mode",
  automatic: !request.explicit.has("mntns-compat-mode"),
});

const shares = ({ entry }: Mount): boolean =>
  (entry.shared_id ?? 0) !== 0 || (entry.master_id ?? 0) !== 0;

export const mountPropagation: Check = {
  id: "mount-propagation",
  title: "CRIU cannot make a mount shared or slave again",
  reads:
    "shared_id, master_id and mountpoint in mountpoints-*.img; the version of CRIU, the kernel's release; --mntns-compat-mode",
  why:
    "Since Linux 6.16, and in stable updates of older ones, how a mount shares is changed from its own namespace only. CRIU before 4.1.1 does it from outside; later " +
    "ones go inside, where they need /proc: a namespace without one they cannot restore.",
  proof: "criu",
  run(context) {
    const { criu, host } = context;
    if (compatible(context)) return [];
    const fault = knownFault("mount-propagation");
    const shown = criuHas(fault, criu?.version) ? showsOn(fault, host.kernel) : "no";
    const inside = criuHas(knownFault("propagation-without-proc"), criu?.version);
    const mounts = savedMounts(context);
    const first = new Map<string, Mount>();
    for (const mount of mounts.filter(shares))
      if (!first.has(mount.image)) first.set(mount.image, mount);
    return [...first.values()].flatMap((mount): Finding[] => {
      const hasProc = mounts.some(({ image, at }) => image === mount.image && at === "/proc");
      const lacksProc = inside && !hasProc;
      if (!lacksProc && shown === "no") return [];
      const how = mount.entry.master_id ? "slave" : "shared";
      return [
        {
          id: "mount-propagation",
          severity: lacksProc || shown === "yes" ? "blocker" : "warning",
          task: null,
          image: imageOf(mount),
          subject: mount.at,
          message: lacksProc
            ? `${mount.at} was a ${how} mount, and its namespace has no /proc, through which CRIU makes it one`
            : `${mount.at} was a ${how} mount, which CRIU ${criu?.version ?? "of unknown version"} ${shown === "yes" ? "cannot" : "may not be able to"} make again on Linux ${host.kernel} (${versionsOf(fault)})`,
          criu_message: `mnt-v2: Failed to make mount ${mount.entry.mnt_id} ${how}: ${lacksProc ? "No such file or directory" : "Invalid argument"}`,
          remedy: oldWay(context),
        },
      ];
    });
  },
};

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
  id: "mount-group",
  title: "Mounts that shared what is below them are made from different ones here",
  reads:
    "shared_id, master_id and root in mountpoints-*.img; file system and place of what --root and --external mnt[…] name; --mntns-compat-mode",
  why:
    "Two mounts of one file system that share were one mount bound twice. CRIU has the second take its sharing from the first, and the kernel allows that only where " +
    "the first holds the second: not where options bind them from two places. Made the old way each shares on its own.",
  proof: "criu",
  run(context) {
    if (compatible(context)) return [];
    const groups = Map.groupBy(
      savedMounts(context).filter(shares),
      ({ entry }) => `${entry.shared_id ?? 0}:${entry.master_id ?? 0}`,
    );
    return [...groups.values()].flatMap((mounts): Finding[] => {
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
          id: "mount-group",
          severity: "blocker",
          task: null,
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
