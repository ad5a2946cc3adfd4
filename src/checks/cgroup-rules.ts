/** What a cgroup must allow, once it is there, for the tree to come back in it (cgroup.c). */
import { dirname } from "../sys/path.ts";
import { directoryOf, ignored, members, setOf, yardOf, nearest } from "./cgroup-tree.ts";
import { upward } from "../host/upward.ts";
import type { CoreEntry } from "../image/index.ts";
import type { Check, Context, Finding, Remedy } from "./finding.ts";
import { sh } from "../sys/shell.ts";

const ignore = (text: string): Remedy => ({
  kind: "option",
  text,
  command: null,
  option: "--manage-cgroups=ignore",
  automatic: false,
});

const stays =
  "let the tree stay in the cgroup that the restore is run from, without its old limits";

export const cgroupSetMissing: Check = {
  id: "cgroup-set-missing",
  title: "The images do not say which cgroups a task was in",
  reads:
    "cg_set of each thread in core-*.img, root_cg_set in inventory.img; sets and controllers in cgroup.img",
  why:
    "A task names its set of cgroups by number. When cgroup.img has no such set, or no controller for a member of it, CRIU cannot " +
    "tell where to move the task.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    if (ignored(context) || request.unprivileged) return [];
    const { sets, controllers } = checkpoint.cgroup!;
    const known = new Map(sets.map((set) => [set.id, set]));
    const names = new Set(controllers.flatMap(({ cnames }) => cnames));
    const told = new Set<number>([0, checkpoint.inventory?.root_cg_set ?? 0]);
    const findings: Finding[] = [];
    for (const task of checkpoint.tasks)
      for (const { tid, core } of task.threads) {
        const id = core === undefined ? undefined : setOf(core);
        if (id === undefined || told.has(id)) continue;
        told.add(id);
        const set = known.get(id);
        const stray = set?.ctls.find(({ name }) => !names.has(name));
        if (set !== undefined && stray === undefined) continue;
        findings.push({
          id: "cgroup-set-missing",
          severity: "blocker",
          task: task.pid,
          image: `core-${tid}.img`,
          subject: `set ${id}`,
          message:
            stray === undefined
              ? `thread ${tid} was in the cgroups of set ${id}, which cgroup.img does not have`
              : `cgroup.img has no controller for ${stray.name}:${stray.path} of set ${id}`,
          criu_message:
            stray === undefined
              ? `cg: No set ${id} found`
              : `cg: No cg_controller_entry found for ${stray.name}/${stray.path}`,
          remedy: ignore(stays),
        });
      }
    return findings;
  },
};

/** The nearest cgroup at or above a directory that is frozen, and how it is thawed. */
function frozen(context: Context, path: string): { file: string; thawed: string } | undefined {
  const { host } = context;
  const directory = nearest(context, path);
  const v1 = host.read(`${directory}/freezer.state`)?.trim();
  if (v1 !== undefined)
    return v1 === "THAWED" ? undefined : { file: `${directory}/freezer.state`, thawed: "THAWED" };
  for (const at of upward(directory))
    if (host.read(`${at}/cgroup.freeze`)?.trim() === "1")
      return { file: `${at}/cgroup.freeze`, thawed: "0" };
  return undefined;
}

export const cgroupFrozen: Check = {
  id: "cgroup-frozen",
  title: "A cgroup of the tree is frozen on this machine",
  reads: "cgroup.img; cgroup.freeze or freezer.state of the saved cgroups and those above",
  why: "A task that CRIU moves into a frozen cgroup stops there, and CRIU waits for it for ever.",
  proof: "harm",
  run: (context) =>
    (ignored(context) ? [] : members(context)).flatMap(({ controllers, path, task }): Finding[] => {
      const directory = directoryOf(context, controllers, path);
      const ice = directory === undefined ? undefined : frozen(context, directory);
      if (ice === undefined) return [];
      return [
        {
          id: "cgroup-frozen",
          severity: "blocker",
          task: task ?? null,
          image: "cgroup.img",
          subject: dirname(ice.file),
          message: `the cgroup ${dirname(ice.file)} is frozen: the restore would hang as soon as a task is in it`,
          criu_message: null,
          remedy: {
            kind: "human",
            text: "thaw it",
            command: sh`echo ${ice.thawed} > ${ice.file}`,
          },
        },
      ];
    }),
};

export const cgroupNamespace: Check = {
  id: "cgroup-namespace",
  title: "The tree's cgroup namespace does not come back",
  reads: "cgns_prefix in cgroup.img; the cgroup that is the namespace's root",
  why:
    "To make a cgroup namespace again, CRIU first moves the root task into the cgroup that is its root, which cgroup2 refuses where that " +
    "one passes controllers on. With --manage-cgroups=ignore there is no new namespace at all, and nothing says so: the tree sees " +
    "this machine's paths.",
  proof: "harm",
  run(context) {
    const { checkpoint, request, host } = context;
    if (checkpoint.cgroup === undefined || checkpoint.root?.core === undefined) return [];
    const own = setOf(checkpoint.root.core);
    const spaced = members(context).filter(
      ({ sets, prefix }) => own !== undefined && sets.has(own) && prefix !== undefined,
    );
    const shared = { id: "cgroup-namespace", task: checkpoint.root.pid, image: "cgroup.img" };
    if (spaced.length > 0 && request.manageCgroups.value === "ignore")
      return [
        {
          ...shared,
          severity: "warning",
          subject: `set ${own}`,
          message: "the tree had a cgroup namespace of its own; --manage-cgroups=ignore makes none",
          criu_message: null,
          remedy: {
            kind: "option",
            text: "let CRIU make the cgroups and the namespace",
            command: null,
            option: "--manage-cgroups=soft",
            automatic: false,
          },
        },
      ];
    return spaced.flatMap(({ controllers, path, prefix }): Finding[] => {
      const root = path.slice(0, prefix);
      const directory = root === path ? undefined : directoryOf(context, controllers, root);
      const inner =
        directory === undefined || controllers[0] !== "" || !host.exists(`${directory}/cgroup.type`)
          ? ""
          : (host.read(`${directory}/cgroup.subtree_control`)?.trim() ?? "");
      if (inner === "" || host.read(`${directory}/cgroup.type`)?.trim() !== "domain") return [];
      return [
        {
          ...shared,
          severity: "blocker",
          subject: directory!,
          message: `${directory} is to be the root of the tree's cgroup namespace, but passes controllers (${inner}) on, so no process may enter it`,
          criu_message: `cg: couldn't set cgns prefix ${yardOf(controllers)}/${root}/cgroup.procs`,
          remedy: ignore(
            "restore without a cgroup namespace of its own, and without its old limits",
          ),
        },
      ];
    });
  },
};

export const cgroupThread: Check = {
  id: "cgroup-thread",
  title: "A thread cannot go back to a cgroup other than its process's",
  reads: "cg_set of each thread in core-*.img; cgroup.type of the saved cgroups",
  why:
    "Threads of one process may be in different cgroups of cgroup2 only below one threaded domain. A cgroup that is a domain of " +
    "its own on this machine takes no single thread.",
  proof: "images",
  run(context) {
    const { checkpoint, host } = context;
    if (ignored(context)) return [];
    const threaded = checkpoint.cgroup!.controllers.some(
      ({ cnames, is_threaded }) => cnames[0] === "" && is_threaded,
    );
    const unified = threaded ? members(context).filter((m) => m.controllers[0] === "") : [];
    const memberOf = (core: CoreEntry | undefined) => {
      const set = core === undefined ? undefined : setOf(core);
      return unified.find(({ sets }) => set !== undefined && sets.has(set));
    };
    return checkpoint.tasks.flatMap((task): Finding[] =>
      task.threads.slice(1).flatMap(({ tid, core }): Finding[] => {
        const wanted = memberOf(core);
        if (wanted === undefined || wanted === memberOf(task.core)) return [];
        const { controllers, path } = wanted;
        const directory = directoryOf(context, controllers, path);
        if (host.read(`${directory}/cgroup.type`)?.trim() !== "domain") return [];
        return [
          {
            id: "cgroup-thread",
            severity: "blocker",
            task: task.pid,
            image: `core-${tid}.img`,
            subject: directory!,
            message: `thread ${tid} cannot be moved into ${directory}: it is a domain of its own, not threaded`,
            criu_message: `cgroupd: Can't move thread ${tid} into ${controllers[0]}/${path}`,
            remedy: {
              kind: "human",
              text: "make it threaded, as it was",
              command: sh`echo threaded > ${directory!}/cgroup.type`,
            },
          },
        ];
      }),
    );
  },
};
