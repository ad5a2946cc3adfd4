import { filesWith } from "../../image/index.ts";
import { netns_entry } from "../../image/tables/namespaces.ts";
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { kinds } from "./namespaces.ts";

export const namespaceFile: Check = {
  title: "A task holds a namespace open that no task of the tree is in",
  reads: "nsf entries in files.img; namespaces in ids-*.img, nsids in netns-*.img",
  why: "CRIU opens a namespace again through a task that lives in it. It cannot restore one in which no task of the tree lives.",
  proof: "criu",
  run({ checkpoint, namespaces, request }) {
    if (request.inheritFds.length > 0 || filesWith(checkpoint, "nsf").length === 0) return [];
    const saved = new Set<number>();
    for (const { ids } of checkpoint.tasks)
      for (const field of [...kinds.map((kind) => kind.field), "cgroup_ns_id"] as const)
        if (ids?.[field] !== undefined) saved.add(ids[field]);
    if (namespaces.created.net)
      for (const file of checkpoint.files)
        if (/^netns-\d+\.img$/.test(file))
          for (const { nsids } of checkpoint.values(file, netns_entry))
            for (const { target_ns_id } of nsids) saved.add(target_ns_id);
    return livingTasks(checkpoint)
      .values()
      .flatMap((task) =>
        task.fds.values().flatMap(({ id, fd }): Problem[] => {
          const entry = checkpoint.openFiles.get(id)?.nsf;
          if (entry === undefined || saved.has(entry.ns_id)) return [];
          return [
            {
              severity: "blocker",
              task: task.pid,
              image: `files.img id 0x${entry.id.toString(16)}`,
              subject: `descriptor ${fd}`,
              message: `descriptor ${fd} of task ${task.pid} is a namespace in which no task of the tree is`,
              criu_message: `Can't find suitable NS ID for ${entry.ns_id === 0 ? "0" : `0x${entry.ns_id.toString(16)}`}`,
              remedy: {
                kind: "human",
                text: "close it in the program before the dump, or dump with a task that is in it",
              },
            },
          ];
        }),
      );
  },
};
