/** The cgroups that a checkpoint names, as CRIU finds them after --cgroup-root and --cgroup-yard (cgroup.c). */
import { cgroupDirectory } from "../../host/cgroups.ts";
import { upward } from "../../host/upward.ts";
import { type CgroupEntry, oncePer } from "../../image/index.ts";
import { join } from "../../sys/path.ts";
import type { Context } from "../finding.ts";

/** A cgroup that tasks of the tree were in: the controllers of its hierarchy ("" for cgroup2) and its path there. */
export interface Member {
  /** The ids of the sets that it belongs to. */
  sets: number[];
  controllers: readonly string[];
  path: string;
  /** How much of the path is the root of the tree's cgroup namespace. */
  prefix: number | undefined;
  /** The first task in it. */
  task: number | undefined;
}

/** A cgroup that CRIU makes when it is not there, and what it then writes into it. */
export interface SavedDirectory {
  controllers: readonly string[];
  path: string;
  properties: ReadonlyMap<string, string>;
  /** What the directory itself gets, also one that is there already. */
  perms: Perms | undefined;
}

/** cgroup_perms. */
export interface Perms {
  mode: number;
  uid: number;
  gid: number;
}

/** cgroup_dir_entry. */
interface Directory {
  dir_name: string;
  children: Directory[];
  properties: { name: string; value: string }[];
  dir_perms?: Perms | undefined;
}

type Controller = CgroupEntry["controllers"][number];

const directoriesOf = (controller: Controller) => controller.dirs as unknown as Directory[];

/** The set of a thread; before CRIU 3.18 its process had one. */
export const setOf = (core: {
  thread_core?: { cg_set?: number } | undefined;
  tc?: { cg_set?: number } | undefined;
}): number | undefined => core.thread_core?.cg_set ?? core.tc?.cg_set;

/**
 * The new roots that --cgroup-root gives a hierarchy: more than one is an error. CRIU looks at the options from the
 * last to the first, until each controller has one; `--cgroup-root cpu,cpuacct:/new` names two.
 */
export function newRoots({ request }: Context, { cnames }: Controller): string[] {
  const without = new Set(cnames);
  const roots = new Set<string>();
  for (const { controller, path } of request.cgroupRoot.toReversed()) {
    if (controller === undefined) continue;
    const named = controller.split(",").filter((name) => without.delete(name));
    if (named.length > 0) roots.add(path);
    if (without.size === 0) break;
  }
  const global = request.cgroupRoot.findLast(({ controller }) => controller === undefined)?.path;
  return roots.size > 0 ? [...roots] : global === undefined ? [] : [global];
}

const newRoot = (context: Context, controller: Controller) => newRoots(context, controller)[0];

/** A member's path below the new root: the part before its directory, or its cgroup namespace's root, is replaced. */
function movedPath(
  context: Context,
  controller: Controller | undefined,
  path: string,
  prefix: number | undefined,
): string {
  const root = controller === undefined ? undefined : newRoot(context, controller);
  const directory =
    controller && directoriesOf(controller).find(({ dir_name }) => path.startsWith(dir_name, 1));
  if (root === undefined || directory === undefined) return path;
  return root + path.slice(prefix ? prefix : directory.dir_name.length + 1);
}

const controllerOf = ({ checkpoint }: Context, name: string) =>
  checkpoint.cgroup?.controllers.find(({ cnames }) => cnames.includes(name));

/** Every cgroup a task must be moved to. Tasks in the set that CRIU itself was in at the dump just stay where CRIU is. */
export const members = oncePer((context: Context): Member[] => {
  const { checkpoint } = context;
  const rootSet = checkpoint.inventory?.root_cg_set;
  const found = new Map<string, Member>();
  const first = new Map<number | undefined, number>();
  for (const { pid, core } of checkpoint.tasks.toReversed()) first.set(setOf(core ?? {}), pid);
  for (const set of checkpoint.cgroup?.sets ?? []) {
    if (set.id === rootSet) continue;
    for (const { name, path, cgns_prefix: prefix } of set.ctls) {
      const controller = controllerOf(context, name);
      const root = controller && newRoot(context, controller);
      const earlier = found.get(`${name}:${path}`);
      if (earlier !== undefined) {
        earlier.sets.push(set.id);
        continue;
      }
      found.set(`${name}:${path}`, {
        sets: [set.id],
        controllers: controller?.cnames ?? [name],
        path: movedPath(context, controller, path, prefix),
        prefix: prefix && root !== undefined ? root.length : prefix,
        task: first.get(set.id),
      });
    }
  }
  return [...found.values()];
});

/** Every saved cgroup, parents first. Without a set CRIU makes none. */
export const savedDirectories = oncePer((context: Context): SavedDirectory[] => {
  const cgroup = context.checkpoint.cgroup;
  if (cgroup === undefined || cgroup.sets.length === 0) return [];
  const found: SavedDirectory[] = [];
  for (const controller of cgroup.controllers) {
    const own = cgroup.sets.flatMap(({ ctls }) =>
      ctls.filter(({ name }) => controller.cnames.includes(name)),
    );
    const inNamespace = own.some(({ cgns_prefix }) => cgns_prefix !== undefined);
    const prefixOf = (directory: string) =>
      inNamespace ? own.find(({ path }) => path.startsWith(directory, 1))?.cgns_prefix : undefined;
    const walk = (entries: Directory[], parent: string) => {
      for (const { dir_name, children, properties, dir_perms } of entries) {
        // Not joined: `..` leads elsewhere from where CRIU mounts the hierarchy.
        const path =
          parent === ""
            ? movedPath(context, controller, `/${dir_name}`, prefixOf(dir_name))
            : `${parent}/${dir_name}`;
        // The root of a hierarchy is never made nor written to.
        if (dir_name !== "")
          found.push({
            controllers: controller.cnames,
            path,
            properties: new Map(properties.map(({ name, value }) => [name, value])),
            perms: dir_perms,
          });
        walk(children, path);
      }
    };
    walk(directoriesOf(controller), "");
  }
  return found;
});

/** Roots of hierarchies, which are neither made nor written to, but get their saved owner. */
export function savedRoots({ checkpoint }: Context): SavedDirectory[] {
  const { controllers = [], sets = [] } = checkpoint.cgroup ?? {};
  if (sets.length === 0) return [];
  return controllers.flatMap((controller) =>
    directoriesOf(controller)
      .filter(({ dir_name }) => dir_name === "")
      .map(({ dir_perms: perms }) => ({
        controllers: controller.cnames,
        path: "/",
        properties: new Map<string, string>(),
        perms,
      })),
  );
}

/** The directory of a hierarchy in the place where CRIU mounts them all, which its messages name. */
export function yardOf(controllers: readonly string[]): string {
  if (controllers[0] === "") return "unified";
  return controllers.map((controller) => controller.replace(/^name=/, "")).join(",");
}

/** The directory of a hierarchy that the yard of --cgroup-yard has already; CRIU mounts what it has not. */
export function inYard(
  { host, request }: Context,
  controllers: readonly string[],
): string | undefined {
  if (request.cgroupYard === undefined) return undefined;
  const directory = join(request.cgroupYard, yardOf(controllers));
  return host.exists(directory) ? directory : undefined;
}

/** Where a cgroup is on this machine; undefined when its hierarchy is not mounted. */
export function directoryOf(
  context: Context,
  controllers: readonly string[],
  path: string,
): string | undefined {
  const yard = inYard(context, controllers);
  if (yard !== undefined) return join(yard, path);
  return cgroupDirectory(context.host.cgroupMounts, controllers, path);
}

/** The nearest directory at or above `path` that exists. */
export function nearest({ host }: Context, path: string): string {
  for (const at of upward(path)) if (host.exists(at)) return at;
  return "/";
}

/** Whether CRIU leaves all cgroups alone. */
export const ignored = ({ request, checkpoint }: Context): boolean =>
  request.manageCgroups.value === "ignore" || checkpoint.cgroup === undefined;

/**
 * Whether CRIU makes a cgroup namespace for the tree; undefined: its root task was in the cgroups of CRIU itself, and
 * whoever calls CRIU decides.
 */
export function ownCgroupNamespace(context: Context): boolean | undefined {
  const { checkpoint } = context;
  const rootSet = setOf(checkpoint.root?.core ?? {});
  if (rootSet === undefined || rootSet === checkpoint.inventory?.root_cg_set) return undefined;
  const set = checkpoint.cgroup?.sets.find(({ id }) => id === rootSet);
  return (
    !ignored(context) && (set?.ctls ?? []).some(({ cgns_prefix }) => cgns_prefix !== undefined)
  );
}
