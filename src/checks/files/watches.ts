/** What tasks watch with inotify and fanotify (fsnotify.c). */
import type { FileEntry } from "../../image/index.ts";
import type { Context } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** Files of a kind, each with a task that has it open; one that no task has open is never made. */
export function openFiles<K extends keyof FileEntry>(
  { checkpoint }: Context,
  kind: K,
): { entry: NonNullable<FileEntry[K]>; task: number; id: number }[] {
  const found = new Map<number, { entry: NonNullable<FileEntry[K]>; task: number; id: number }>();
  for (const task of livingTasks(checkpoint))
    for (const { id } of task.fds) {
      const entry = checkpoint.openFiles.get(id)?.[kind];
      if (entry !== undefined && entry !== null && !found.has(id))
        found.set(id, { entry: entry as NonNullable<FileEntry[K]>, task: task.pid, id });
    }
  return [...found.values()];
}
