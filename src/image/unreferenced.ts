/** Open files that no task refers to: the descriptors of one task are lost. A task without descriptors has no image of them. */
import { VMA_FILE } from "./locks.ts";
import type { Task } from "./task.ts";
import type { FileEntry, RemapFilePathEntry } from "./types.ts";

/** What the images hold besides the tasks. */
interface Files {
  openFiles: ReadonlyMap<number, FileEntry>;
  remaps: readonly RemapFilePathEntry[];
  tasks: readonly Task[];
}

/**
 * Whether a file is there that only a descriptor can have held, and none does. Unix sockets are passed over: one that waits
 * to be accepted, or in a message, is in no task's descriptors.
 */
export function hasUnreferencedFile({ openFiles, remaps, tasks }: Files): boolean {
  const referenced = new Set<number | undefined>(remaps.map(({ remap_id }) => remap_id));
  for (const { fds, fs, mm } of tasks) {
    for (const { id } of fds) referenced.add(id);
    referenced.add(fs?.cwd_id).add(fs?.root_id).add(mm?.exe_file_id);
    for (const { status, shmid } of mm?.vmas ?? [])
      if (status & VMA_FILE) referenced.add(Number(shmid));
  }
  for (const { fifo, tty } of openFiles.values()) referenced.add(fifo?.regf_id).add(tty?.regf_id);
  return [...openFiles].some(([id, { usk }]) => usk === undefined && !referenced.has(id));
}
