/** Files and directories that CRIU opens by their paths, with what uses them. */
import { type RegFileEntry, VMA_FILE } from "../image/index.ts";
import type { Context } from "./finding.ts";
import { livingTasks } from "./paths.ts";

export type Use =
  "descriptor" | "mapping" | "program" | "working directory" | "root directory" | "fifo";

export interface UsedFile {
  reg: RegFileEntry;
  image: string;
  task: number | null;
  /** How it is used; one file may be several. */
  uses: Set<Use>;
  /** Of a FIFO, the id by which CRIU's messages call it. */
  fifo?: number;
}

/** Several checks ask the same of one context. */
const known = new WeakMap<Context, UsedFile[]>();

/** Regular files and directories by image id, with what uses them; left out are those that CRIU makes from the images or is handed. */
export function usedFiles(context: Context): UsedFile[] {
  let files = known.get(context);
  if (files === undefined) known.set(context, (files = collect(context)));
  return files;
}

function collect({ checkpoint, request }: Context): UsedFile[] {
  const used = new Map<number, UsedFile>();
  const inherited = new Set(request.inheritFds.map((fd) => fd.key));
  /** Files of the tree's own tasks in /proc are there again when they are opened. */
  const own = new Set(checkpoint.tasks.map((task) => String(task.pid)));
  const note = (id: number | undefined, task: number, use: Use, fifo?: number) => {
    const reg = id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg;
    if (
      reg === undefined ||
      checkpoint.remapped.has(reg.id) ||
      reg.ext ||
      own.has(/^\/proc\/(\d+)/.exec(reg.name)?.[1] ?? "") ||
      inherited.has(reg.name.replace(/^\//, ""))
    )
      return;
    let file = used.get(reg.id);
    if (file === undefined)
      used.set(
        reg.id,
        (file = { reg, image: `files.img id 0x${reg.id.toString(16)}`, task, uses: new Set() }),
      );
    file.uses.add(use);
    if (fifo !== undefined) file.fifo = fifo;
  };
  for (const task of livingTasks(checkpoint)) {
    note(task.fs?.cwd_id, task.pid, "working directory");
    note(task.fs?.root_id, task.pid, "root directory");
    note(task.mm?.exe_file_id, task.pid, "program");
    for (const vma of task.mm?.vmas ?? [])
      if (vma.status & VMA_FILE) note(Number(vma.shmid), task.pid, "mapping");
    for (const fd of task.fds) {
      note(fd.id, task.pid, "descriptor");
      const fifo = checkpoint.openFiles.get(fd.id)?.fifo;
      if (fifo !== undefined) note(fifo.regf_id ?? fifo.id, task.pid, "fifo", fifo.id);
    }
  }
  return [...used.values()];
}

/** The path as CRIU prints and opens it: without its leading slash. */
export const openedName = (reg: RegFileEntry): string => reg.name.replace(/^\/(?=.)/, "");
