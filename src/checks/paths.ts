/**
 * Where a path of the checkpoint will be when CRIU opens it. A path belongs to a mount namespace: the host's own, or
 * one that CRIU rebuilds from the images: its root mount comes from `--root`, its external mounts come from the
 * host, and its other mounts (tmpfs, proc, …) exist only once CRIU has made them.
 */
import type { Request } from "../criu/index.ts";
import type { Host, Root } from "../host/index.ts";
import {
  type Checkpoint,
  findMount,
  type FoundMount,
  hasMount,
  type Infer,
  type MntEntry,
  mountpointOf,
  oncePer,
  remembering,
  type Task,
} from "../image/index.ts";
import { type uid_gid_extent, userns_entry } from "../image/tables/namespaces.ts";
import { join } from "../sys/path.ts";

/** A path inside the host directory `root`; `hostPath` is the same path on this machine. */
export interface HostPlace {
  onHost: true;
  root: Root;
  path: string;
  hostPath: string;
}

/** Where a path will be; `why` the host cannot tell, as CRIU makes the mount itself or its source is not known. */
export type Place = HostPlace | { onHost: false; why: string };

export interface Namespaces {
  /** Whether CRIU will make a new namespace of this kind for the tree (so the host's own does not matter). */
  readonly created: Readonly<Record<"mnt" | "pid" | "net" | "ipc" | "uts" | "user", boolean>>;
  /** The place of an absolute path of a task's mount namespace; `mntId` is the mount the image says it lies on. */
  place(path: string, mntId?: number): Place;
  /**
   * The numbers on this machine of what is `uid`:`gid` to the tree, by the maps of its user namespace if it gets one of its
   * own; undefined: it has none for them, or that is not known.
   */
  ownerOnHost(uid: number, gid: number): Owner | undefined;
}

/** Numbers of this machine: those of the images are the tree's user namespace's, and may be others. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** CRIU compares the root task's namespace ids with its own at dump time (pstree.c, get_clone_mask). */
export function namespacesOf(checkpoint: Checkpoint, host: Host, request: Request): Namespaces {
  const root = checkpoint.root;
  const inventory = checkpoint.inventory?.root_ids;
  const differs = (kind: "mnt" | "pid" | "net" | "ipc" | "uts" | "user") => {
    const id = root?.ids?.[`${kind}_ns_id`];
    return id !== undefined && id !== inventory?.[`${kind}_ns_id`];
  };
  const created = {
    mnt: differs("mnt"),
    pid: differs("pid"),
    net: differs("net"),
    ipc: differs("ipc"),
    uts: differs("uts"),
    user: differs("user"),
  };

  const placeBelow = (base: string, path: string): Place => {
    const opened = host.root(base);
    if (!opened.ok) return { onHost: false, why: `${base}: ${opened.problem}` };
    return {
      onHost: true,
      root: opened.root,
      path,
      hostPath: base === "/" ? path : join(base, path),
    };
  };
  const external = externalMounts(request);

  const mountsOf = (id: number | undefined) => (id === undefined ? [] : checkpoint.mounts(id));
  const rootMounts = mountsOf(root?.ids?.mnt_ns_id);
  const once = remembering();
  const others = () =>
    once("others", () => {
      const ids = new Set(checkpoint.tasks.map(({ ids: own }) => own?.mnt_ns_id));
      return [...ids].map(mountsOf);
    });
  const top = () => once("top", () => rootMounts.find((each) => mountpointOf(each) === "/"));
  /** Tasks below the root one may have mount namespaces of their own; a mount's number tells which. */
  const mountsWith = (mntId: number | undefined): readonly MntEntry[] => {
    const holds = (mounts: readonly MntEntry[]) => hasMount(mounts, mntId!);
    if (mntId === undefined || holds(rootMounts)) return rootMounts;
    return others().find(holds) ?? rootMounts;
  };
  /** The root mount of another namespace is most often a copy of the root task's; after pivot_root(2) it is not. */
  const comesFromRoot = ({ mount, isRoot }: FoundMount): boolean =>
    isRoot && top()?.root_dev === mount.root_dev && top()?.root === mount.root;

  return {
    created,
    place(path, mntId) {
      if (!path.startsWith("/")) return { onHost: false, why: "not an absolute path" };
      if (!created.mnt) return placeBelow("/", path);
      const found = findMount(mountsWith(mntId), path, mntId);
      if (found === undefined) return { onHost: false, why: "its mount is not in the images" };
      const { mount, path: inside } = found;
      const key = mount.ext_key ?? (mount.ext_mount ? mount.root : undefined);
      const source = key === undefined ? undefined : external.get(key);
      if (source !== undefined) return placeBelow(source, inside);
      if (!comesFromRoot(found))
        return { onHost: false, why: `CRIU makes its mount (${mount.mountpoint}) itself` };
      if (request.root === undefined)
        return { onHost: false, why: "its mount namespace needs --root" };
      return placeBelow(request.root, path);
    },
    ownerOnHost(uid, gid) {
      if (!created.user) return { uid, gid };
      // Whose maps those are is not in the images.
      if (request.joinNs.some(({ ns }) => ns === "user")) return undefined;
      const image = `userns-${root?.ids?.user_ns_id}.img`;
      const [maps] = checkpoint.values(image, userns_entry);
      const [user, group] = [outside(maps?.uid_map, uid), outside(maps?.gid_map, gid)];
      return user === undefined || group === undefined ? undefined : { uid: user, gid: group };
    },
  };
}

type Extent = Infer<typeof uid_gid_extent>;

/** An id of a user namespace as the one around it has it, user_namespaces(7). */
function outside(map: readonly Extent[] = [], id: number): number | undefined {
  const extent = map.find(({ first, count }) => id >= first && id < first + count);
  return extent && extent.lower_first + (id - extent.first);
}

/** `--external mnt[KEY]:PATH` and `--ext-mount-map KEY:PATH`, by key. */
function externalMounts(request: Request): Map<string, string> {
  const map = new Map<string, string>();
  for (const { kind, key, value } of request.external)
    if (kind === "mnt" && key !== "" && value !== undefined) map.set(key, value);
  return map;
}

/** The tasks that are alive at the dump, which own memory and files (a zombie has neither). */
export const livingTasks = oncePer(({ tasks }: Checkpoint): readonly Task[] =>
  tasks.filter(({ state }) => state !== "dead"),
);
