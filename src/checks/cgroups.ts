/** Control groups that the tree was in (cgroup.c). */
import { constants } from "node:fs";
import { dirname } from "pathe";
import { cgroupDirectory } from "../host/cgroups.ts";
import { errorText } from "../sys/errno.ts";
import { access } from "../sys/files.ts";
import type { Check, Context, Finding, Leaving } from "./finding.ts";

/** A cgroup that tasks of the tree were in: the controllers of its hierarchy ("" for cgroup2) and its path there. */
interface Member {
  controllers: readonly string[];
  path: string;
  /** The first task in it. */
  task: number | undefined;
}

/** Every cgroup a task must be moved to. Tasks in the set that CRIU itself was in at the dump just stay where CRIU is. */
function members({ checkpoint }: Context): Member[] {
  const rootSet = checkpoint.inventory?.root_cg_set;
  const found = new Map<string, Member>();
  const first = new Map<number | undefined, number>();
  for (const { pid, core } of checkpoint.tasks.toReversed()) {
    first.set(core?.thread_core?.cg_set ?? core?.tc?.cg_set, pid);
  }
  for (const set of checkpoint.cgroup?.sets ?? []) {
    if (set.id === rootSet) continue;
    for (const member of set.ctls) {
      const controller = checkpoint.cgroup?.controllers.find((c) => c.cnames.includes(member.name));
      found.set(`${member.name}:${member.path}`, {
        controllers: controller?.cnames ?? [member.name],
        path: member.path,
        task: first.get(set.id),
      });
    }
  }
  return [...found.values()];
}

/** The cgroups that CRIU will make: those that are not there, and their parents, outermost first. */
export function cgroupLeavings(context: Context): Leaving[] {
  if (context.request.manageCgroups.value === "ignore") return [];
  const missing = new Set<string>();
  for (const { controllers, path } of members(context)) {
    let at = cgroupDirectory(context.host.cgroupMounts, controllers, path);
    for (; at !== undefined && !context.host.exists(at); at = dirname(at)) missing.add(at);
  }
  return [...missing].sort().map((path) => ({ kind: "cgroup", root: "/", path }));
}

/** Why the hierarchy itself cannot be had here, if so. CRIU mounts it anew, which only works as it is mounted already or is free. */
function hierarchyProblem(
  { host }: Context,
  controllers: readonly string[],
): { problem: string; errno: string } | undefined {
  const name = controllers.join(",");
  if (controllers[0] === "") {
    const known = (host.read("/proc/filesystems") ?? "").includes("\tcgroup2\n");
    return known ? undefined : { problem: "this kernel has no cgroup2", errno: "No such device" };
  }
  for (const controller of controllers) {
    if (controller.startsWith("name=")) continue;
    const state = host.controllers.get(controller);
    if (state === undefined || !state.enabled)
      return {
        problem: `this kernel has no controller ${controller}`,
        errno: "No such file or directory",
      };
    const mounted = host.cgroupMounts.find((m) => m.controllers.includes(controller));
    if (
      mounted !== undefined &&
      [...mounted.controllers].sort().join() !== [...controllers].sort().join()
    ) {
      return {
        problem: `controller ${controller} is mounted together with others (${mounted.controllers.join(",")})`,
        errno: "Device or resource busy",
      };
    }
    const unified = cgroupDirectory(host.cgroupMounts, [""], "/");
    const v2 = unified === undefined ? "" : (host.read(`${unified}/cgroup.controllers`) ?? "");
    if (state.hierarchy === 0 && v2.split(/\s/).includes(controller)) {
      const inUse = (host.read(`${unified}/cgroup.subtree_control`) ?? "")
        .split(/\s/)
        .includes(controller);
      if (inUse)
        return {
          problem: `controller ${name} belongs to cgroup2 on this machine, and to cgroup v1 in the images`,
          errno: "Device or resource busy",
        };
    }
  }
  return undefined;
}

/** The nearest directory at or above `path` that exists. */
function existing(context: Context, path: string): string {
  let at = path;
  while (at !== "/" && !context.host.exists(at)) at = dirname(at);
  return at;
}

/** The directory of a hierarchy in the place where CRIU mounts them all, which its messages name. */
function yardOf(controllers: readonly string[]): string {
  if (controllers[0] === "") return "unified";
  return controllers.map((controller) => controller.replace(/^name=/, "")).join(",");
}

/** Why a task cannot be moved into the cgroup once it is there, if so: cgroup2's rules for threaded and inner cgroups. */
function memberProblem(
  context: Context,
  directory: string,
  { controllers, path, task }: Member,
): { problem: string; criu: string } | undefined {
  const at = existing(context, directory);
  const moved = `cg: Can't move ${task} into ${yardOf(controllers)}/${path}/cgroup.procs`;
  const type = context.host.read(`${at}/cgroup.type`)?.trim();
  if (at === directory) {
    if (type === "domain invalid")
      return {
        problem: `${at} is a "domain invalid" cgroup: no process can be moved there`,
        criu: moved,
      };
    const inner = context.host.read(`${at}/cgroup.subtree_control`)?.trim() ?? "";
    if (
      inner !== "" &&
      type === "domain" &&
      context.host.read(`${dirname(at)}/cgroup.type`) !== undefined
    ) {
      return {
        problem: `${at} passes controllers (${inner}) on to its children, so no process may be in it`,
        criu: moved,
      };
    }
    return undefined;
  }
  if (type === "threaded" || type === "domain threaded" || type === "domain invalid") {
    return {
      problem: `${at} is a "${type}" cgroup: a new cgroup below it is "domain invalid" and takes no process`,
      criu: moved,
    };
  }
  const writable = access(at, constants.W_OK);
  return writable < 0
    ? {
        problem: `${directory} cannot be made: ${at}: ${errorText(writable)}`,
        criu: `cg: Can't make cgroup dir ${yardOf(controllers)}${path}`,
      }
    : undefined;
}

export const cgroupMissing: Check = {
  id: "cgroup-missing",
  title: "A cgroup of the tree is not there, or cannot be joined",
  reads:
    "cgroup.img, cg_set in core-*.img; /proc/cgroups, the mounted hierarchies and the saved cgroups' directories",
  why:
    "CRIU makes missing cgroups again and moves the tasks into them. That fails where the hierarchy is of another kind (v1 or v2), " +
    "read-only, or under rules that the saved cgroup breaks. With --manage-cgroups=ignore the tree stays in the cgroup that the restore " +
    "is run from, without its old limits.",
  proof: "criu",
  run(context) {
    const mode = context.request.manageCgroups;
    if (mode.value === "ignore" || context.checkpoint.cgroup === undefined) return [];
    return members(context).flatMap((member) => findingFor(context, member) ?? []);
  },
};

function findingFor(context: Context, member: Member): Finding | undefined {
  const { controllers, path } = member;
  const { value: mode, explicit } = context.request.manageCgroups;
  const name = controllers[0] === "" ? "cgroup2" : controllers.join(",");
  const directory = cgroupDirectory(context.host.cgroupMounts, controllers, path);
  const subject = directory ?? `${name}:${path}`;
  const shared = { id: "cgroup-missing", task: null, image: "cgroup.img", subject } as const;
  const ignore = (message: string, criu_message: string): Finding => ({
    ...shared,
    severity: "blocker",
    message,
    criu_message,
    remedy: {
      kind: "option",
      text: explicit
        ? `--manage-cgroups=${mode} was asked for; with ignore the tree stays in the cgroup the restore is run from`
        : "let the tree stay in the cgroup that the restore is run from",
      command: null,
      option: "--manage-cgroups=ignore",
      automatic: !explicit,
    },
  });
  const hierarchy = hierarchyProblem(context, controllers);
  if (hierarchy !== undefined) {
    return ignore(
      `the cgroup ${name}:${path} cannot be restored: ${hierarchy.problem}`,
      `cg: \tCan't mount controller dir ${yardOf(controllers)}: ${hierarchy.errno}`,
    );
  }
  if (directory === undefined) return undefined; // not mounted here: CRIU mounts the hierarchy and makes the cgroup itself
  const exists = context.host.exists(directory);
  if (!exists && (mode === "none" || mode === "props")) {
    return ignore(
      `the cgroup ${directory} does not exist, and --manage-cgroups=${mode} makes none`,
      `cg: Cgroup dir ${yardOf(controllers)}${path} doesn't exist`,
    );
  }
  if (exists && mode === "strict") {
    return ignore(
      `the cgroup ${directory} exists, and --manage-cgroups=strict refuses that`,
      "cg: Abort restore of existing cgroups",
    );
  }
  const problem = memberProblem(context, directory, member);
  if (problem !== undefined)
    return ignore(`the cgroup ${subject} cannot be restored: ${problem.problem}`, problem.criu);
  if (exists) return undefined;
  return {
    ...shared,
    severity: "info",
    message: `the cgroup ${directory} does not exist; CRIU makes it again with what it saved of it`,
    criu_message: null,
    remedy: { kind: "human", text: "nothing to do", command: null },
  };
}
