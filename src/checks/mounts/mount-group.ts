import { type Mounted, mountHolding, showsAlso } from "../../host/mount-places.ts";
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

/** What CRIU takes the sharing of mounts from whose master is outside: the mount that holds `source`, a path of this machine. */
interface Outside {
  readonly source: string;
  readonly mount: Mounted;
}

const holding = ({ host }: Context, path: string) => {
  const root = host.root("/");
  const real = root.ok ? root.root.real(path) : undefined;
  return mountHolding(host.read("/proc/self/mountinfo") ?? "", real ?? path);
};

/** Of several that have this master, CRIU takes the source of the first in the images. */
function outsideOf(
  context: Context,
  mounts: readonly Mount[],
  master: number,
): Outside | undefined {
  const first = mounts.find(({ entry }) => entry.master_id === master);
  // A runtime mounts the root for CRIU by itself.
  if (first === undefined || (first.isRoot && context.request.sibling)) return undefined;
  const source = placeOf(context, first);
  const found = source === undefined ? undefined : holding(context, source);
  return source === undefined || found === undefined ? undefined : { source, mount: found.mount };
}

interface Torn {
  readonly mount: Mount;
  readonly message: string;
  readonly says: string;
}

/** A mount that cannot take its sharing from outside; undefined where it can, or that cannot be seen. */
function severed(
  context: Context,
  mount: Mount,
  { source, mount: from }: Outside,
): Torn | undefined {
  const place = placeOf(context, mount);
  const found = place === undefined ? undefined : holding(context, place);
  if (found === undefined) return undefined;
  const is = !from.shares
    ? `${source} is on the mount ${from.point}, which is private`
    : showsAlso(from, found.mount.number, found.inside)
      ? undefined
      : `${place} is not on the mount ${from.point}, which CRIU takes the sharing from`;
  if (is === undefined) return undefined;
  const message = `${mount.at} was a slave of a mount outside the container; here ${is}`;
  return { mount, message, says: `from source ${source} to ${mount.entry.mnt_id}` };
}

/** The first mount of a group that CRIU cannot give its sharing. */
function tornIn(context: Context, group: readonly Mount[], outside?: Outside): Torn | undefined {
  const shortest = Math.min(...group.map(({ entry }) => entry.root.length));
  // Of several the first in the images.
  const first = group.find(({ entry }) => entry.root.length === shortest)!;
  const from = placeOf(context, first);
  const tear = (mount: Mount): Torn | undefined => {
    const { at, entry } = mount;
    const inside = below(entry.root, first.entry.root);
    if (mount === first || (!inside && !entry.shared_id && outside))
      return outside && severed(context, mount, outside);
    if (!inside)
      return {
        mount,
        message: `${at} and ${first.at} were one mount in two places, neither of which was in the other`,
        says: `from ${first.entry.mnt_id}[${first.entry.root}] to ${entry.mnt_id}[${entry.root}]`,
      };
    const place = placeOf(context, mount);
    if (from === undefined || place === undefined || holds(context, from, place) !== false)
      return undefined;
    return {
      mount,
      message: `${at} and ${first.at} were one mount in two places; here ${place} is not in ${from}`,
      says: `from ${first.entry.mnt_id} to ${entry.mnt_id}`,
    };
  };
  return [first, ...group.filter((each) => each !== first)]
    .map(tear)
    .find((found) => found !== undefined);
}

export const mountGroup: Check = {
  title: "Mounts that shared what is below them are made from different ones here",
  reads:
    "shared_id, master_id and root in mountpoints-*.img; file system and place of what --root and --external mnt[…] name; " +
    "/proc/self/mountinfo; --mntns-compat-mode",
  why:
    "Two mounts of one file system that share were one mount bound twice. CRIU has the second take its sharing from the first, and the kernel allows that only where " +
    "the first holds the second: not where options bind them from two places. What was a slave of a mount outside takes its sharing from the mount that " +
    "its source is on, which has to be shared or a slave itself, and to hold the others. Made the old way each shares on its own.",
  proof: "criu",
  answers: ["option", "person"],
  run(context) {
    if (compatible(context)) return [];
    const mounts = savedMounts(context);
    const peers = new Set(mounts.map(({ entry }) => entry.shared_id ?? 0));
    const groups = Map.groupBy(
      mounts.filter(shares),
      ({ entry }) => `${entry.shared_id ?? 0}:${entry.master_id ?? 0}`,
    );
    return groups.values().flatMap((group): Problem[] => {
      const master = group[0]!.entry.master_id ?? 0;
      const isOutside = master !== 0 && !peers.has(master);
      const outside = isOutside ? outsideOf(context, mounts, master) : undefined;
      const torn = tornIn(context, group, outside);
      if (torn === undefined) return [];
      const { mount, message, says } = torn;
      return [
        {
          severity: "blocker",
          image: imageOf(mount),
          subject: mount.at,
          message,
          criu_message: `mnt-v2: ${says.includes("[") ? "Can't" : "Failed to"} copy sharing ${says}`,
          remedy: oldWay(context),
        },
      ];
    });
  },
};
