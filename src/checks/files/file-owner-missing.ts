import type { FileEntry } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export const fileOwnerMissing: Check = {
  title: "The process that gets a file's signals is not there",
  reads: "owners in files.img, pstree.img; processes of this machine",
  why: "A descriptor can have an owner, to which SIGIO goes (F_SETOWN). CRIU sets it again, and the kernel refuses one that does not exist.",
  proof: "criu",
  *run(context) {
    const { checkpoint, namespaces, host } = context;
    // Few descriptors have one.
    const owners = new Map<number, number>();
    for (const [id, file] of checkpoint.openFiles) {
      const owner = ownerOf(file);
      if (owner !== 0) owners.set(id, owner);
    }
    if (owners.size === 0) return;
    const treePids = new Set(
      checkpoint.tasks.flatMap(({ pid, pgid, sid, threads }) => [
        pid,
        pgid,
        sid,
        ...threads.map(({ tid }) => tid),
      ]),
    );
    for (const task of livingTasks(checkpoint))
      for (const { id, fd } of task.fds) {
        const owner = owners.get(id);
        if (owner === undefined) continue;
        owners.delete(id);
        if (treePids.has(owner)) continue;
        if (!namespaces.created.pid && host.exists(`/proc/${owner}`)) continue;
        if (!namespaces.created.pid && host.processes.some(({ pgrp }) => pgrp === owner)) continue;
        yield {
          severity: "blocker",
          task: task.pid,
          image: `files.img id 0x${id.toString(16)}`,
          subject: `descriptor ${fd}`,
          message: `signals of descriptor ${fd} of task ${task.pid} go to ${owner}, which is neither in the tree nor on this machine`,
          criu_message: `Can't setup ${fd} file owner pid: No such process`,
          remedy: {
            kind: "human",
            text: "no option leaves an owner out: dump the tree together with its owner",
          },
        };
      }
  },
};

/** The owner of a file, of whatever kind that is; 0 where it has none. */
function ownerOf(file: FileEntry): number {
  for (const name in file) {
    const kind = file[name as keyof FileEntry] as { fown?: { pid: number } } | number;
    if (typeof kind === "object" && kind.fown !== undefined) return kind.fown.pid;
  }
  return 0;
}
