/** What tasks watch with inotify and fanotify (fsnotify.c). */
import { ghost_file_entry } from "../image/tables/files.ts";
import type { FileEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { raise, setting } from "./kernel-objects.ts";
import { livingTasks } from "./paths.ts";
import { sh } from "../sys/shell.ts";

/** Files of a kind, each with a task that has it open; one that nobody has open is never made. */
function openFiles<K extends keyof FileEntry>(
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

export const inotifyLimit: Check = {
  id: "inotify-limit",
  title: "This machine allows fewer inotify instances or watches than the tree has",
  reads: "inotify entries in files.img; fs.inotify.max_user_instances and max_user_watches",
  why: "Both are limits for all that one user has. What others have in use already is not counted here.",
  proof: "criu",
  run(context) {
    const instances = openFiles(context, "ify");
    const first = instances[0];
    if (first === undefined) return [];
    const image = `files.img id 0x${first.id.toString(16)}`;
    const watches = instances.reduce((sum, { entry }) => sum + entry.wd.length, 0);
    const finding = (name: string, wanted: number, what: string, said: string): Finding[] => {
      const most = setting(context, name);
      if (most === undefined || wanted <= most) return [];
      return [
        {
          id: "inotify-limit",
          severity: "blocker",
          task: first.task,
          image,
          subject: name.replaceAll("/", "."),
          message: `the tree has ${wanted} inotify ${what}, and ${name.replaceAll("/", ".")} is ${most}`,
          criu_message: `fsnotify: ${said}`,
          remedy: raise(name, wanted + 128),
        },
      ];
    };
    return [
      ...finding(
        "fs/inotify/max_user_instances",
        instances.length,
        "instances",
        "Can't create inotify for",
      ),
      ...finding("fs/inotify/max_user_watches", watches, "watches", "Can't add watch for"),
    ];
  },
};

export const watchPathMissing: Check = {
  id: "watch-path-missing",
  title: "What a task watches is gone",
  reads:
    "paths of inotify and fanotify marks in files.img, ghost-file-*.img; the paths on this machine or under --root",
  why: "CRIU puts each watch back by the path that it found at the dump. The path must be there; what is there may be new.",
  proof: "criu",
  run(context) {
    const { checkpoint, namespaces } = context;
    const ghosts = new Set<bigint>();
    for (const file of checkpoint.files)
      if (/^ghost-file-[0-9a-f]+\.img$/.test(file)) {
        const ino = checkpoint.values(file, ghost_file_entry)[0]?.ino;
        if (ino !== undefined) ghosts.add(ino);
      }
    const marks = [
      ...openFiles(context, "ify").flatMap(({ entry, task, id }) =>
        entry.wd.map(({ f_handle, i_ino }) => ({ f_handle, i_ino, task, id })),
      ),
      ...openFiles(context, "ffy").flatMap(({ entry, task, id }) =>
        entry.mark.flatMap(({ ie }) => (ie ? [{ ...ie, task, id }] : [])),
      ),
    ];
    return marks.flatMap(({ f_handle: { path, mnt_id }, i_ino, task, id }): Finding[] => {
      if (path === undefined || ghosts.has(i_ino)) return [];
      const place = namespaces.place(path, mnt_id);
      const found = place.known ? place.root.look(place.path) : undefined;
      if (!place.known || found === undefined || found.ok || !found.missing) return [];
      return [
        {
          id: "watch-path-missing",
          severity: "blocker",
          task,
          image: `files.img id 0x${id.toString(16)}`,
          subject: place.hostPath,
          message: `task ${task} watches ${path}, and ${place.hostPath} is not there`,
          criu_message: `fsnotify: Unable to open ${path}: ${found.problem}`,
          remedy: {
            kind: "human",
            text: "put it back; for a directory an empty one is enough for CRIU",
            command: sh`install -d ${place.hostPath}`,
          },
        },
      ];
    });
  },
};
