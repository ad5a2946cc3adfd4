/** Files and directories that CRIU opens by their paths, with what uses them. */
import { VMA_FILE_SHARED } from "../../image/flags.ts";
import {
  type MmEntry,
  oncePer,
  type RegFileEntry,
  type Task,
  VMA_FILE,
} from "../../image/index.ts";
import type { Context, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export type Use =
  "descriptor" | "mapping" | "program" | "working directory" | "root directory" | "fifo";

export interface UsedFile {
  reg: RegFileEntry;
  image: string;
  task: number | null;
  /** How it is used; one file may be several. */
  uses: ReadonlySet<Use>;
  /** One of its mappings is shared: what is in it is not in the images. */
  shared: boolean;
  /** Of a FIFO, the id by which CRIU's messages call it. */
  fifo?: number;
}

export const isDirectoryUse = ({ uses }: Pick<UsedFile, "uses">): boolean =>
  uses.has("working directory") || uses.has("root directory");

/** Regular files and directories by image id, with what uses them; left out are those that CRIU makes from the images or is handed. */
export const usedFiles = oncePer(({ checkpoint, request }: Context): UsedFile[] => {
  /** By image id; undefined: left out. */
  const used = new Map<number, UsedFile | undefined>();
  const inherited = new Set(request.inheritFds.map((fd) => fd.key));
  /** Files of the tree's own tasks in /proc are there again when they are opened. */
  const treePids = new Set(checkpoint.tasks.map((task) => String(task.pid)));
  const { openFiles, remapped } = checkpoint;
  const first = (id: number, task: number, use: Use): UsedFile | undefined => {
    const reg = openFiles.get(id)?.reg;
    return reg === undefined ||
      remapped.has(reg.id) ||
      reg.ext ||
      (reg.name.startsWith("/proc/") && treePids.has(reg.name.split("/")[2]!)) ||
      (inherited.size > 0 && inherited.has(reg.name.replace(/^\//, "")))
      ? undefined
      : {
          reg,
          image: `files.img id 0x${reg.id.toString(16)}`,
          task,
          uses: together(NONE, use),
          shared: false,
        };
  };
  const note = (id: number | undefined, task: number, use: Use, fifo?: number) => {
    if (id === undefined) return;
    let file = used.get(id);
    if (file === undefined && !used.has(id)) used.set(id, (file = first(id, task, use)));
    if (file !== undefined) file.uses = together(file.uses, use);
    if (file !== undefined && fifo !== undefined) file.fifo = fifo;
  };
  const inMemory = (mm: MmEntry, task: number): void => {
    note(mm.exe_file_id, task, "program");
    for (const [id, shared] of mappedFiles(mm)) {
      note(id, task, "mapping");
      const file = used.get(id);
      if (shared && file !== undefined) file.shared = true;
    }
  };
  let before: Task | undefined;
  for (const task of livingTasks(checkpoint)) {
    const { fs, mm, fds, pid } = task;
    note(fs?.cwd_id, pid, "working directory");
    note(fs?.root_id, pid, "root directory");
    // What a forked task has from its parent is the same object, and was noted with it.
    if (mm !== undefined && mm !== before?.mm) inMemory(mm, pid);
    for (const { id } of fds === before?.fds ? [] : fds) {
      note(id, pid, "descriptor");
      const fifo = openFiles.get(id)?.fifo;
      if (fifo !== undefined) note(fifo.regf_id ?? fifo.id, pid, "fifo", fifo.id);
    }
    before = task;
  }
  return [...used.values()].filter((file) => file !== undefined);
});

/**
 * What is found of the files, each judged by what it is, what the images say of it and how it is used. Thousands of
 * descriptors can be on one file: where nothing is found of one, nothing is of those that are saved and used alike.
 */
export function* judged(
  context: Context,
  judge: (file: UsedFile) => Iterable<Problem>,
): Generator<Problem> {
  const files = usedFiles(context);
  const firsts = firstsAlike(context);
  const clean = new Uint8Array(files.length);
  for (let at = 0; at < files.length; at++) {
    const first = firsts[at]!;
    if (clean[first] === 1) continue;
    let none = true;
    for (const problem of judge(files[at]!)) {
      none = false;
      yield problem;
    }
    if (none) clean[first] = 1;
  }
}

/** Names that are looked for again; hostile images have a million, each of which is there once. */
const MOST_NAMES = 4096;

/** Of each file the place of the first one that is like it. */
const firstsAlike = oncePer((context: Context): Int32Array => {
  const files = usedFiles(context);
  const firsts = new Int32Array(files.length);
  const byName = new Map<string, number>();
  for (const [at, file] of files.entries()) {
    let first = byName.get(file.reg.name);
    if (first === undefined || !isLike(file, files[first]!)) {
      if (byName.size === MOST_NAMES) byName.clear();
      byName.set(file.reg.name, (first = at));
    }
    firsts[at] = first;
  }
  return firsts;
});

function isLike(one: UsedFile, other: UsedFile): boolean {
  const [a, b] = [one.reg, other.reg];
  return (
    one.uses === other.uses &&
    one.shared === other.shared &&
    one.fifo === other.fifo &&
    a.flags === b.flags &&
    a.size === b.size &&
    a.mode === b.mode &&
    a.mnt_id === b.mnt_id &&
    (a.build_id === b.build_id ||
      (a.build_id.length === b.build_id.length &&
        a.build_id.every((word, at) => word === b.build_id[at])))
  );
}

const NONE: ReadonlySet<Use> = new Set();

/** A file is used in few ways, and files are many: those that are used alike have one set. By set, what it is with one more. */
const withOne = new Map<ReadonlySet<Use>, Map<Use, ReadonlySet<Use>>>();

function together(uses: ReadonlySet<Use>, use: Use): ReadonlySet<Use> {
  if (uses.has(use)) return uses;
  let more = withOne.get(uses);
  if (more === undefined) withOne.set(uses, (more = new Map()));
  let all = more.get(use);
  if (all === undefined) more.set(use, (all = new Set(uses).add(use)));
  return all;
}

/** Ids of the files that are mapped, and whether one of their mappings is shared. Of forked tasks it is the same object. */
const mappedFiles = oncePer(({ vmas }: MmEntry): ReadonlyMap<number, boolean> => {
  const found = new Map<number, boolean>();
  for (const { status, shmid } of vmas)
    if (status & VMA_FILE)
      found.set(Number(shmid), found.get(Number(shmid)) || (status & VMA_FILE_SHARED) !== 0);
  return found;
});

/** The path as CRIU prints and opens it: without its leading slash. */
export const openedName = (reg: RegFileEntry): string => reg.name.replace(/^\/(?=.)/, "");
