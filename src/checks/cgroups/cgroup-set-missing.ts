import type { Check, Remedy } from "../finding.ts";
import { ignored, setOf } from "./cgroup-tree.ts";

const stays =
  "let the tree stay in the cgroup that the restore is run from, without its old limits";

export const cgroupSetMissing: Check = {
  title: "The images do not say which cgroups a task was in",
  reads:
    "cg_set of each thread in core-*.img, root_cg_set in inventory.img; sets and controllers in cgroup.img",
  why:
    "A task names its set of cgroups by number. When cgroup.img has no such set, or no controller for a member of it, CRIU cannot " +
    "tell where to move the task.",
  proof: "criu",
  answers: ["choice"],
  *run(context) {
    const { checkpoint, request } = context;
    if (ignored(context) || request.unprivileged) return;
    const { sets, controllers } = checkpoint.cgroup!;
    const byId = new Map(sets.map((set) => [set.id, set]));
    const names = new Set(controllers.flatMap(({ cnames }) => cnames));
    const told = new Set<number>([0, checkpoint.inventory?.root_cg_set ?? 0]);
    for (const task of checkpoint.tasks)
      for (const { tid, core } of task.threads) {
        const id = core === undefined ? undefined : setOf(core);
        if (id === undefined || told.has(id)) continue;
        told.add(id);
        const set = byId.get(id);
        const stray = set?.ctls.find(({ name }) => !names.has(name));
        if (set !== undefined && stray === undefined) continue;
        yield {
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
        };
      }
  },
};

export const ignore = (text: string): Remedy => ({
  kind: "option",
  text,
  option: "--manage-cgroups=ignore",
  automatic: false,
});
