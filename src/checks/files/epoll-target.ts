/** What an epoll watches is looked up by number, in the descriptors of one task (eventpoll.c, files.c). */
import { filesWith, oncePer, type Task } from "../../image/index.ts";
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export const epollTarget: Check = {
  title: "An epoll would watch another file than it did, or none",
  reads: "epoll entries in files.img; descriptors and order of the tasks that have one open",
  why:
    "The images name what an epoll watches by descriptor numbers of the task that it was saved from, the first of the tree that has it open. " +
    "CRIU adds them in another: that of the lowest number. Where a child with a lower number than its parent (numbers wrap around) has closed " +
    "or replaced the descriptor, the restore fails, or the epoll comes back deaf: it watches a file that no process writes to.",
  proof: "criu",
  run({ checkpoint }) {
    const idsOf = oncePer(({ fds }: Task) => new Map(fds.map(({ fd, id }) => [fd, id])));
    const holders = new Map<number, Task[]>();
    if (filesWith(checkpoint, "epfd").length === 0) return [];
    for (const task of livingTasks(checkpoint))
      for (const id of new Set(task.fds.map((fd) => fd.id)))
        if (checkpoint.openFiles.get(id)?.epfd !== undefined)
          holders.set(id, [...(holders.get(id) ?? []), task]);
    return [...holders].values().flatMap(([id, tasks]) => {
      const from = tasks[0]!;
      const by = tasks.reduce((lowest, task) => (task.pid < lowest.pid ? task : lowest));
      return checkpoint.openFiles
        .get(id)!
        .epfd!.tfd.values()
        .flatMap(({ tfd }): Problem[] => {
          const [wanted, found] = [idsOf(from).get(tfd), idsOf(by).get(tfd)];
          // The number is not that of a task without this file.
          if (found !== undefined && (wanted === undefined || wanted === found)) return [];
          const file = checkpoint.openFiles.get(found ?? -1);
          const problem =
            found === undefined
              ? "Bad file descriptor"
              : file?.reg
                ? "Operation not permitted"
                : null;
          const why =
            found === undefined
              ? "that task has none"
              : `there it is another file: the epoll would ${problem === null ? "come back deaf" : "not take it"}`;
          return [
            {
              severity: "blocker",
              task: by.pid,
              image: `files.img id 0x${id.toString(16)}`,
              subject: `descriptor ${tfd}`,
              message: `an epoll watches descriptor ${tfd} of task ${from.pid}; CRIU would take that of task ${by.pid}, and ${why}`,
              criu_message:
                problem === null
                  ? null
                  : `epoll: Can't add event on 0x${id.toString(16).padStart(6, "0")}: ${problem}`,
              remedy: {
                kind: "human",
                text: `dump the tree again when task ${by.pid} has closed its copy of the epoll, or has ended`,
              },
            },
          ];
        });
    });
  },
};
