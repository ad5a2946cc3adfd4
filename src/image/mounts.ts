/** Which mount of a saved mount namespace a path lies on. */
import type { Infer } from "./schema.ts";
import type { mnt_entry } from "./tables/namespaces.ts";

export type MntEntry = Infer<typeof mnt_entry>;

export interface FoundMount {
  mount: MntEntry;
  /** The path inside the mount, beginning with a slash. */
  path: string;
  /** Whether it is the namespace's root mount. */
  isRoot: boolean;
}

/** Find the mount with id `mntId` if that is given and holds the path, else the one with the longest mountpoint that does. */
export function findMount(
  mounts: readonly MntEntry[],
  path: string,
  mntId?: number,
): FoundMount | undefined {
  const ids = new Set(mounts.map((mount) => mount.mnt_id));
  let best: FoundMount | undefined;
  for (const mount of mounts) {
    const at = mountpointOf(mount);
    const inside =
      at === "/"
        ? path
        : path === at
          ? "/"
          : path.startsWith(`${at}/`)
            ? path.slice(at.length)
            : undefined;
    if (inside === undefined) continue;
    const found = {
      mount,
      path: inside,
      isRoot: !ids.has(mount.parent_mnt_id) || mount.parent_mnt_id === mount.mnt_id,
    };
    if (mount.mnt_id === mntId) return found;
    // Of two at one place, the later one covers the earlier.
    if (best === undefined || at.length >= mountpointOf(best.mount).length) best = found;
  }
  return best;
}

/** Where a mount is in its namespace. CRIU writes it relative to the namespace's root: `/`, `./`, `./dev/pts`. */
export function mountpointOf(mount: MntEntry): string {
  const path = mount.mountpoint.replace(/^\.?\/*/, "/").replace(/(.)\/+$/, "$1");
  return path === "" ? "/" : path;
}
