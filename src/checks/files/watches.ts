/** What tasks watch with inotify and fanotify (fsnotify.c). */
import { type FileEntry, type FileKind, filesWith } from "../../image/index.ts";
import { ghost_file_entry } from "../../image/tables/files.ts";
import type { Context } from "../finding.ts";
import { livingTasks } from "../paths.ts";

interface WatchedPath {
  readonly path: string;
  readonly mnt_id: number | undefined;
  readonly i_ino: bigint;
  /** Of inotify(7); 0 of fanotify. */
  readonly mask: number;
  readonly kind: "inotify" | "fanotify";
  readonly task: number;
  /** Of the open file. */
  readonly id: number;
}

/** The paths by which CRIU puts watches back, where the dump found one; deleted files it makes again itself. */
export function watchedPaths(context: Context): WatchedPath[] {
  const { checkpoint } = context;
  const ghosts = new Set<bigint>();
  for (const file of checkpoint.files)
    if (/^ghost-file-[0-9a-f]+\.img$/.test(file)) {
      const ino = checkpoint.values(file, ghost_file_entry)[0]?.ino;
      if (ino !== undefined) ghosts.add(ino);
    }
  const marks = [
    ...openFiles(context, "ify").flatMap(({ entry, task, id }) =>
      entry.wd.map(({ f_handle, i_ino, mask }) => ({
        f_handle,
        i_ino,
        mask,
        task,
        id,
        kind: "inotify" as const,
      })),
    ),
    ...openFiles(context, "ffy").flatMap(({ entry, task, id }) =>
      entry.mark.flatMap(({ ie }) =>
        ie ? [{ ...ie, mask: 0, task, id, kind: "fanotify" as const }] : [],
      ),
    ),
  ];
  return marks.flatMap(({ f_handle: { path, mnt_id }, i_ino, ...of }) =>
    path === undefined || ghosts.has(i_ino) ? [] : [{ path, mnt_id, i_ino, ...of }],
  );
}

/** Files of a kind, each with a task that has it open; one that no task has open is never made. */
export function openFiles<K extends FileKind>(
  { checkpoint }: Context,
  kind: K,
): { entry: NonNullable<FileEntry[K]>; task: number; id: number }[] {
  const found = new Map<number, { entry: NonNullable<FileEntry[K]>; task: number; id: number }>();
  if (filesWith(checkpoint, kind).length === 0) return [];
  for (const task of livingTasks(checkpoint))
    for (const { id } of task.fds) {
      const entry = checkpoint.openFiles.get(id)?.[kind];
      if (entry !== undefined && entry !== null && !found.has(id))
        found.set(id, { entry: entry as NonNullable<FileEntry[K]>, task: task.pid, id });
    }
  return [...found.values()];
}
