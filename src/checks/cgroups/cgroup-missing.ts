/** Control groups that the tree was in (cgroup.c). */
import { knows, since } from "../../criu/index.ts";
import { cgroupDirectory } from "../../host/cgroups.ts";
import { upward } from "../../host/upward.ts";
import { EROFS, errorText } from "../../sys/errno.ts";
import { dirname } from "../../sys/path.ts";
import type { Check, Context, Problem, Leftover } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { idleCpuset, roomProblem } from "./cgroup-room.ts";
import {
  directoryOf,
  ignored,
  inYard,
  type Member,
  members,
  nearest,
  savedDirectories,
  type SavedDirectory,
  yardOf,
} from "./cgroup-tree.ts";
import { constants } from "node:fs";

/** The cgroups that CRIU will make: those that are not there, and their parents, outermost first. */
export function cgroupLeftovers(context: Context): Leftover[] {
  if (ignored(context)) return [];
  const missing = new Set<string>();
  for (const { controllers, path } of [...members(context), ...savedDirectories(context)]) {
    for (const at of upward(directoryOf(context, controllers, path) ?? "")) {
      if (context.host.exists(at)) break;
      missing.add(at);
    }
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
    const hasCgroup2 = (host.read("/proc/filesystems") ?? "").includes("\tcgroup2\n");
    return hasCgroup2
      ? undefined
      : { problem: "this kernel has no cgroup2", errno: "No such device" };
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

const movedWords = ({ controllers, path, task }: Member): string =>
  `cg: Can't move ${task} into ${yardOf(controllers)}/${path}/cgroup.procs`;

/** Why a task cannot be moved into the cgroup once it is there, if so: cgroup2's rules for threaded and inner cgroups. */
function memberProblem(
  context: Context,
  directory: string,
  member: Member,
  saved: SavedDirectory | undefined,
): { problem: string; criu: string } | undefined {
  const { controllers, path } = member;
  const at = nearest(context, directory);
  const moved = movedWords(member);
  const type = context.host.read(`${at}/cgroup.type`)?.trim();
  const idle = idleCpuset(context, directory, controllers, saved);
  if (idle !== undefined)
    return {
      problem: `${directory} ${at === directory ? "has" : "will have"} no ${idle}, so nothing can run in it`,
      criu: moved,
    };
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
  const full = roomProblem(context, at, directory);
  if (full !== undefined)
    return {
      problem: full,
      criu: `cg: Can't make cgroup dir ${yardOf(controllers)}${path}: Resource temporarily unavailable`,
    };
  if (
    saved?.properties.get("cgroup.type") !== "threaded" &&
    (type === "threaded" || type === "domain threaded" || type === "domain invalid")
  ) {
    return {
      problem: `${at} is a "${type}" cgroup: a new cgroup below it is "domain invalid" and takes no process`,
      criu: moved,
    };
  }
  const writable = context.host.access(at, constants.W_OK);
  // CRIU mounts the hierarchy for itself: where only the mount here is read-only, its own is not.
  const outsideYard = inYard(context, controllers) === undefined;
  const mounted = context.host.cgroupMounts.find(({ mountpoint }) =>
    `${at}/`.startsWith(`${mountpoint}/`),
  );
  if (writable === -EROFS && outsideYard && mounted?.readOnly === "mount") return undefined;
  return writable < 0
    ? {
        problem: `${directory} cannot be made: ${at}: ${errorText(writable)}`,
        criu: `cg: Can't make cgroup dir ${yardOf(controllers)}${path}`,
      }
    : undefined;
}

export const cgroupMissing: Check = {
  title: "A cgroup of the tree is not there, or cannot be joined",
  reads:
    "cgroup.img, cg_set in core-*.img; /proc/cgroups, the mounted hierarchies and the saved cgroups' directories",
  why:
    "CRIU makes missing cgroups again and moves the tasks into them. That fails where the hierarchy is of another kind (v1 or v2), " +
    "read-only, or under rules that the saved cgroup breaks. With --manage-cgroups=ignore the tree stays in the cgroup that the restore " +
    "is run from, without its old limits.",
  proof: "criu",
  answers: ["option", "person"],
  run(context) {
    if (ignored(context)) return [];
    const unread = unreadSets(context);
    if (unread !== undefined) return [unread];
    const saved = new Map(
      savedDirectories(context).map((entry) => [`${entry.controllers[0]}:${entry.path}`, entry]),
    );
    return members(context)
      .values()
      .map((member) =>
        findingFor(context, member, saved.get(`${member.controllers[0]}:${member.path}`)),
      )
      .filter((problem) => problem !== undefined);
  },
};

/** Sets that this CRIU does not look for: it moves no task, without a word. */
function unreadSets({ checkpoint, criu }: Context): Problem | undefined {
  if (knows(criu?.version, "threadCgroups", true)) return undefined;
  const first = livingTasks(checkpoint).find(
    ({ core }) => core?.tc?.cg_set === undefined && core?.thread_core?.cg_set !== undefined,
  );
  if (first === undefined) return undefined;
  return {
    severity: "warning",
    task: first.pid,
    image: `core-${first.pid}.img`,
    subject: `set ${first.core?.thread_core?.cg_set}`,
    message: `CRIU ${criu?.version} does not read which cgroups the tree was in, as CRIU ${since.threadCgroups} and later save it: it stays in those that the restore is run from`,
    remedy: { kind: "human", text: `restore with CRIU ${since.threadCgroups} or later` },
  };
}

/** `saved`: what CRIU makes where the cgroup is not there. */
function findingFor(
  context: Context,
  member: Member,
  saved: SavedDirectory | undefined,
): Problem | undefined {
  const { controllers, path } = member;
  const { value: mode, explicit } = context.request.manageCgroups;
  const name = controllers[0] === "" ? "cgroup2" : controllers.join(",");
  const directory = directoryOf(context, controllers, path);
  const subject = directory ?? `${name}:${path}`;
  const shared = { image: "cgroup.img", subject } as const;
  const ignore = (message: string, criu_message: string): Problem => ({
    ...shared,
    severity: "blocker",
    message,
    criu_message,
    remedy: {
      kind: "option",
      text: explicit
        ? `--manage-cgroups=${mode} was asked for; with ignore the tree stays in the cgroup the restore is run from`
        : "let the tree stay in the cgroup that the restore is run from",
      option: "--manage-cgroups=ignore",
      automatic: !explicit,
    },
  });
  const hierarchy = inYard(context, controllers)
    ? undefined
    : hierarchyProblem(context, controllers);
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
  const problem = memberProblem(context, directory, member, saved);
  if (problem !== undefined)
    return ignore(`the cgroup ${subject} cannot be restored: ${problem.problem}`, problem.criu);
  if (exists) return undefined;
  if (saved === undefined)
    return ignore(
      `the cgroup ${directory} does not exist, and cgroup.img says of it only that a task was in it: CRIU before 4.1 leaves one out whose name begins with that of another`,
      movedWords(member),
    );
  return {
    ...shared,
    severity: "info",
    message: `the cgroup ${directory} does not exist; CRIU makes it again with what it saved of it`,
    remedy: { kind: "human", text: "nothing to do" },
  };
}
