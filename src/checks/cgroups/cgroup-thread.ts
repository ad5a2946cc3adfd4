import { knows } from "../../criu/index.ts";
import type { CoreEntry } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { directoryOf, ignored, members, setOf } from "./cgroup-tree.ts";

export const cgroupThread: Check = {
  title: "A thread cannot go back to a cgroup other than its process's",
  reads: "cg_set of each thread in core-*.img; cgroup.type of the saved cgroups",
  why:
    "Threads of one process may be in different cgroups of cgroup2 only below one threaded domain. A cgroup that is a domain of " +
    "its own on this machine takes no single thread.",
  proof: "criu",
  run(context) {
    const { checkpoint, host } = context;
    if (ignored(context) || !knows(context.criu?.version, "threadCgroups", true)) return [];
    const threaded = checkpoint.cgroup!.controllers.some(
      ({ cnames, is_threaded }) => cnames[0] === "" && is_threaded,
    );
    const unified = threaded ? members(context).filter((m) => m.controllers[0] === "") : [];
    const memberOf = (core: CoreEntry | undefined) => {
      const set = core === undefined ? undefined : setOf(core);
      return unified.find(({ sets }) => set !== undefined && sets.includes(set));
    };
    return checkpoint.tasks.values().flatMap((task) =>
      task.threads
        .slice(1)
        .values()
        .flatMap(({ tid, core }): Problem[] => {
          const wanted = memberOf(core);
          if (wanted === undefined || wanted === memberOf(task.core)) return [];
          const { controllers, path } = wanted;
          const directory = directoryOf(context, controllers, path);
          if (host.read(`${directory}/cgroup.type`)?.trim() !== "domain") return [];
          return [
            {
              severity: "blocker",
              task: task.pid,
              image: `core-${tid}.img`,
              subject: directory!,
              message: `thread ${tid} cannot be moved into ${directory}: it is a domain of its own, not threaded`,
              criu_message: `cgroupd: Can't move thread ${tid} into ${controllers[0]}/${path}`,
              remedy: {
                kind: "human",
                text: "make that cgroup threaded, as it was",
                command: sh`echo threaded > ${directory!}/cgroup.type`,
              },
            },
          ];
        }),
    );
  },
};
