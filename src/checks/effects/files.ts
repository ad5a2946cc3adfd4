/** Files that CRIU opens by the paths and with the flags that the images name (files-reg.c, fifo.c). */
import { upward } from "../../host/upward.ts";
import { VMA_FILE_SHARED } from "../../image/flags.ts";
import { findMount, type RegFileEntry, type Task, VMA_FILE } from "../../image/index.ts";
import { MAP_SHARED, O_ACCMODE, O_PATH } from "../../sys/linux.ts";
import { dirname } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import { fstypes } from "../mounts/external.ts";
import { livingTasks } from "../paths.ts";
import { linkTarget } from "./deleted.ts";
import {
  effect,
  type Effect,
  imageOf,
  landing,
  type Landing,
  octal,
  type Refusal,
  type Said,
  shownStat,
} from "./effect.ts";
import { deviceNumber, hasHarmlessName, isHarmlessDevice, isOutside } from "./policy.ts";
import { constants, type Stats } from "node:fs";

const { O_APPEND, O_CREAT, O_TRUNC, S_IFBLK, S_IFCHR, S_IFMT } = constants;

interface Use {
  reg: RegFileEntry;
  task: number | null;
  /** descriptor, mapping, program, working directory … */
  how: string;
  /** As open(2) gets them. */
  flags: number;
}

export const fileEffects = (context: Context): Iterable<Effect> =>
  usesOf(context).flatMap((use) => effectsOf(context, use));

/** Each use that differs, with the first task that has it. Files that are handed to CRIU are the caller's word. */
function usesOf({ checkpoint, request }: Context): IteratorObject<Use> {
  const handed = new Set(request.inheritFds.map(({ key }) => key));
  const uses = new Map<string, Use>();
  const note = (id: number | undefined, task: number | null, how: string, opened?: number) => {
    const reg = id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg;
    if (reg === undefined || handed.has(reg.name.replace(/^\//, ""))) return;
    const flags = opened ?? reg.flags;
    const key = `${reg.id} ${flags} ${how}`;
    if (!uses.has(key)) uses.set(key, { reg, task, how, flags });
  };
  for (const task of livingTasks(checkpoint)) {
    note(task.fs?.cwd_id, task.pid, "working directory", 0);
    note(task.fs?.root_id, task.pid, "root directory", 0);
    note(task.mm?.exe_file_id, task.pid, "program", 0);
    for (const { id, flags } of mappings(task)) note(id, task.pid, "mapping", flags);
    for (const { id } of task.fds) {
      const file = checkpoint.openFiles.get(id);
      if (file?.fifo !== undefined) note(file.fifo.regf_id ?? id, task.pid, "fifo");
      else if (file?.tty === undefined) note(id, task.pid, "descriptor");
    }
  }
  // Descriptors that wait in a socket are opened as well.
  for (const { scm } of checkpoint.socketQueues)
    for (const { rights } of scm) for (const id of rights) note(id, null, "descriptor");
  return uses.values();
}

/** Of forked tasks they are the same object. */
const mapped = new WeakMap<object, { id: number; flags: number }[]>();

/** Files that are mapped, and how each is opened for that: only a shared mapping can change its file. */
function mappings({ mm }: Task): readonly { id: number; flags: number }[] {
  if (mm === undefined) return [];
  let found = mapped.get(mm);
  if (found === undefined) {
    found = mm.vmas
      .filter(({ status }) => status & VMA_FILE)
      .map(({ shmid, status, flags, fdflags = 0, prot }) => ({
        id: Number(shmid),
        flags:
          status & VMA_FILE_SHARED || flags & MAP_SHARED
            ? fdflags | (prot & 2 ? 2 : 0)
            : fdflags & ~O_ACCMODE,
      }));
    mapped.set(mm, found);
  }
  return found;
}

const isWrite = (flags: number) => (flags & O_PATH) === 0 && (flags & O_ACCMODE) !== 0;

function flagNames(flags: number): string {
  const names = [["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][flags & O_ACCMODE]!];
  for (const [name, bit] of [
    ["O_APPEND", O_APPEND],
    ["O_CREAT", O_CREAT],
    ["O_TRUNC", O_TRUNC],
  ] as const)
    if (flags & bit) names.push(name);
  return names.join("|");
}

function effectsOf(context: Context, saved: Use): Effect[] {
  const { reg, task, how, flags } = saved;
  // Of a deleted file that is made again the content is the images' own; one that is linked back is the file of that name.
  const deleted = context.checkpoint.remapped.has(reg.id);
  const target = deleted ? linkTarget(context, reg) : reg;
  if (target === undefined) return [];
  const land = landing(context, target.name, reg.mnt_id);
  const use = { ...saved, reg: { ...reg, name: target.name } };
  const device = deviceOf(land, reg);
  const named = {
    path: land.path ?? null,
    name: target.name,
    image: imageOf(reg.id),
    task,
  };
  const found: Said[] = [];
  const what = device ?? (how === "fifo" ? "fifo" : "file");
  const lost = land.path === undefined ? ", and where that leads cannot be told beforehand" : "";
  const shown = `${how} ${flagNames(flags)}${shownStat(land.stat)}${lost}`;
  if (flags & O_TRUNC && !(flags & O_PATH))
    found.push({
      ...named,
      verb: "write",
      what,
      detail: `cut to nothing: opened ${flagNames(flags)}`,
      check: refusal(context, use, land) ?? (isOutside(context, land) ? "untrusted-write" : null),
    });
  if (flags & O_CREAT && land.stat === undefined && land.path !== null)
    found.push({
      ...named,
      verb: "create",
      what,
      detail: `made by ${flagNames(flags)}`,
      check: isOutside(context, land) ? "untrusted-write" : null,
    });
  found.push({
    ...named,
    verb: isWrite(flags) ? "write" : "read",
    what,
    detail: shown,
    when: "running",
    check: refusal(context, use, land),
  });
  if (how === "program" && land.stat !== undefined && land.stat.mode & 0o6000)
    found.push({
      ...named,
      verb: "run",
      what: "program",
      detail: `is the program of task ${task}, mode ${octal(land.stat.mode)}, owner ${land.stat.uid}:${land.stat.gid}`,
      when: "running",
      check: "untrusted-setuid",
    });
  return found.map(effect);
}

function deviceOf({ stat }: Landing, { mode = 0 }: RegFileEntry): string | undefined {
  const type = (stat?.mode ?? mode) & S_IFMT;
  if (type !== S_IFBLK && type !== S_IFCHR) return undefined;
  const number = stat === undefined ? "" : ` ${deviceNumber(stat.rdev)}`;
  return type === S_IFBLK ? `block device${number}` : `character device${number}`;
}

/** Which check names this use. */
function refusal(context: Context, { reg, how, flags, task }: Use, land: Landing): Refusal | null {
  if (flags & O_PATH || how.endsWith("directory")) return null;
  const write = isWrite(flags);
  const device = deviceOf(land, reg);
  if (device !== undefined) {
    const harmless =
      land.stat === undefined ? hasHarmlessName(reg.name) : isHarmlessDevice(land.stat.rdev);
    return device.startsWith("character") && harmless ? null : "untrusted-device";
  }
  if (write && kernelFsOf(context, reg, land) !== undefined)
    return isOwnProc(context, reg.name) ? null : "untrusted-proc-write";
  if (write) return isOutside(context, land) ? "untrusted-write" : null;
  return how !== "program" && isSecret(context, land, task) ? "untrusted-read" : null;
}

/** The kernel's own file system that a file is in, also where only the tree's own mounts have it. */
function kernelFsOf({ checkpoint, namespaces }: Context, reg: RegFileEntry, land: Landing) {
  const there = land.kernelFs();
  if (there !== undefined) return there;
  if (!namespaces.created.mnt) return /^\/(proc|sys)(\/|$)/.exec(reg.name)?.[1];
  const ids = new Set(checkpoint.tasks.map(({ ids: of }) => of?.mnt_ns_id));
  const found = [...ids]
    .flatMap(
      (id) => findMount(id === undefined ? [] : checkpoint.mounts(id), reg.name, reg.mnt_id) ?? [],
    )
    .find(({ mount }) => reg.mnt_id === undefined || mount.mnt_id === reg.mnt_id);
  const fstype = fstypes[found?.mount.fstype ?? 0];
  return fstype !== undefined && !["tmpfs", "devpts", "overlay", "mqueue"].includes(fstype)
    ? fstype
    : undefined;
}

/** Files of the tree's own tasks in /proc: no link of theirs, which could lead anywhere. */
function isOwnProc({ checkpoint, namespaces }: Context, path: string): boolean {
  // In a pid namespace of its own a number is another's in this machine's /proc.
  if (namespaces.created.pid && !namespaces.created.mnt) return false;
  const [, pid, file] = /^\/proc\/(\d+)(?:\/task\/\d+)?(?:\/attr)?\/([a-z_]+)$/.exec(path) ?? [];
  if (pid === undefined || ["root", "cwd", "exe"].includes(file!)) return false;
  return checkpoint.tasks.some((task) => task.pid === Number(pid));
}

/** A file that not everybody may read, or get to, in the hands of a task that is neither its owner nor root. */
function isSecret(context: Context, { stat, path }: Landing, pid: number | null): boolean {
  if (stat === undefined || typeof path !== "string") return false;
  if (!(stat.isFile() || stat.isDirectory()) || !isOutside(context, { path: dirname(path) }))
    return false;
  const creds = context.checkpoint.tasks.find((task) => task.pid === pid)?.core?.thread_core?.creds;
  if (creds === undefined || creds.euid === 0) return false;
  const closed = ({ mode, uid }: Stats, right: number) => !(mode & right) && creds.euid !== uid;
  if (closed(stat, 0o004)) return true;
  return [...upward(dirname(path))].some((at) => {
    const above = at === "/" ? undefined : context.host.entry(at);
    return above !== undefined && closed(above, 0o001);
  });
}
