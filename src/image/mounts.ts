/** Which mount of a saved mount namespace a path lies on. */
import type { Checkpoint } from "./checkpoint.ts";
import { oncePer } from "./once.ts";
import type { Infer } from "./schema.ts";
import type { mnt_entry } from "./tables/namespaces.ts";
import type { Task } from "./task.ts";

export type MntEntry = Infer<typeof mnt_entry>;

export interface FoundMount {
  mount: MntEntry;
  /** The path inside the mount, beginning with a slash. */
  path: string;
  /** Whether it is the namespace's root mount. */
  isRoot: boolean;
}

const indexed = oncePer((mounts: readonly MntEntry[]) => ({
  byId: new Map(mounts.toReversed().map((mount) => [mount.mnt_id, mount])),
  // Of two at one place, the later one covers the earlier.
  byPlace: new Map(mounts.map((mount) => [mountpointOf(mount), mount])),
}));

export const hasMount = (mounts: readonly MntEntry[], mntId: number): boolean =>
  indexed(mounts).byId.has(mntId);

/** Find the mount with id `mntId` if that is given and holds the path, else the one with the longest mountpoint that does. */
export function findMount(
  mounts: readonly MntEntry[],
  path: string,
  mntId?: number,
): FoundMount | undefined {
  const { byId, byPlace } = indexed(mounts);
  const named = mntId === undefined ? undefined : byId.get(mntId);
  let mount = named && inside(named, path) !== undefined ? named : byPlace.get(path);
  for (let end = path.lastIndexOf("/"); mount === undefined && end > 0;) {
    mount = byPlace.get(path.slice(0, end));
    end = path.lastIndexOf("/", end - 1);
  }
  mount ??= byPlace.get("/");
  if (mount === undefined) return undefined;
  const isRoot = !byId.has(mount.parent_mnt_id) || mount.parent_mnt_id === mount.mnt_id;
  return { mount, path: inside(mount, path)!, isRoot };
}

/** An absolute path as it is within a mount; undefined where it is not below that. */
function inside(mount: MntEntry, path: string): string | undefined {
  const at = mountpointOf(mount);
  if (at === "/") return path;
  if (path === at) return "/";
  return path.startsWith(`${at}/`) ? path.slice(at.length) : undefined;
}

/** Whether a task's /proc/PID/mountinfo has all mounts of its namespace: one with a root of its own has what is below that. */
export const seesAllMounts = (
  { openFiles }: Pick<Checkpoint, "openFiles">,
  { fs }: Pick<Task, "fs">,
): boolean => fs !== undefined && openFiles.get(fs.root_id)?.reg?.name === "/";

/** Where a mount is in its namespace. CRIU writes it relative to the namespace's root: `/`, `./`, `./dev/pts`. */
export function mountpointOf(mount: MntEntry): string {
  const path = mount.mountpoint.replace(/^\.?\/*/, "/").replace(/(.)\/+$/, "$1");
  return path === "" ? "/" : path;
}
