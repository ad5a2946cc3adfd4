import { upward } from "../../host/upward.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { directoryOf, ignored, members, nearest } from "./cgroup-tree.ts";

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
  title: "A cgroup of the tree is frozen on this machine",
  reads: "cgroup.img; cgroup.freeze or freezer.state of the saved cgroups and those above",
  why: "A task that CRIU moves into a frozen cgroup stops there, and CRIU waits for it for ever.",
  proof: "harm",
  waits: true,
  run: (context) =>
    (ignored(context) ? [] : members(context))
      .values()
      .flatMap(({ controllers, path, task }): Problem[] => {
        const directory = directoryOf(context, controllers, path);
        const ice = directory === undefined ? undefined : frozen(context, directory);
        if (ice === undefined) return [];
        return [
          {
            severity: "blocker",
            task: task ?? null,
            image: "cgroup.img",
            subject: dirname(ice.file),
            message: `the cgroup ${dirname(ice.file)} is frozen: the restore would hang as soon as a task is in it`,
            remedy: {
              kind: "human",
              text: "thaw it",
              command: sh`echo ${ice.thawed} > ${ice.file}`,
            },
          },
        ];
      }),
};
