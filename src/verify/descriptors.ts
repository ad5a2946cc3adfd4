/** Open descriptors: numbers, what each leads to, flags, position, and which are one open file. */
import type { ProcessFiles } from "../host/process-files.ts";
import type { Checkpoint, FileEntry } from "../image/index.ts";
import { FD_CLOEXEC, O_ACCMODE, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_PATH } from "../sys/linux.ts";
import { sameOpenFile } from "../sys/process.ts";
import { asSaved, type Facet, shownName } from "./facet.ts";

/** Flags of open(2) that an open file keeps; the rest either belong to the opening or are set by the kernel. */
const O_RDWR = 0o2;
const O_APPEND = 0o2000;
const O_ASYNC = 0o20000;
const O_NOATIME = 0o1000000;
const O_TMPFILE = 0o20000000;
const KEPT = O_ACCMODE | O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME | O_PATH;

/** What /proc/PID/fd shows for kinds of files that have no name. */
const anonymous: [keyof FileEntry, RegExp, string][] = [
  ["pipe", /^pipe:\[/, "a pipe"],
  ["isk", /^socket:\[/, "a socket"],
  ["usk", /^socket:\[/, "a socket"],
  ["nlsk", /^socket:\[/, "a socket"],
  ["psk", /^socket:\[/, "a socket"],
  ["efd", /^anon_inode:\[eventfd/, "an eventfd"],
  ["epfd", /^anon_inode:\[eventpoll/, "an epoll"],
  ["sgfd", /^anon_inode:\[signalfd/, "a signalfd"],
  ["tfd", /^anon_inode:\[timerfd/, "a timerfd"],
  ["ify", /^anon_inode:inotify/, "an inotify"],
  ["ffy", /^anon_inode:\[fanotify/, "a fanotify"],
  ["memfd", /^\/memfd:/, "a memfd"],
  ["pidfd", /^(anon_inode:\[pidfd\]|pidfd:\[)/, "a pidfd"],
  ["bpf", /^anon_inode:bpf-map/, "a BPF map"],
  ["nsf", /^(cgroup|ipc|mnt|net|pid|time|user|uts):\[\d+\]$/, "a namespace"],
];

/** That there are no others: CRIU's own, which it needs to the end, are gone only then. */
export const otherDescriptors: Facet = {
  id: "descriptors",
  final: "state",
  moving: true,
  compare({ live }, { same }) {
    for (const { task, proc } of live.tasks.values()) {
      if (task.state === "dead") continue;
      const saved = new Set(task.fds.map(({ fd }) => fd));
      const numbers = proc.descriptors();
      if (numbers === undefined) same(task.pid, "descriptors", "shown", undefined);
      for (const number of numbers ?? [])
        if (!saved.has(number))
          same(task.pid, `descriptor ${number}`, "none", proc.link(`fd/${number}`));
    }
  },
};

export const descriptors: Facet = {
  id: "descriptors",
  final: "tree",
  moving: true,
  compare({ checkpoint, live, request }, { same, leftOut }) {
    const inherits = request.inheritFds.length > 0;
    // The kernel sends whole packets into the pipe of an autofs; a dump leaves that flag out (pipes.c), and takes no other such pipe.
    const automounts = [...checkpoint.files.keys()].some((name) => name.startsWith("autofs-"));
    /** The first descriptor met of each open file that was saved. */
    const first = new Map<number, { pid: number; number: number; who: string }>();
    const flagsById = new Map<number, number | undefined>();
    for (const { task, pid, proc } of live.tasks.values()) {
      if (task.state === "dead") continue;
      for (const { fd: number, id, flags } of task.fds) {
        const file = checkpoint.openFiles.get(id);
        const target = proc.link(`fd/${number}`);
        const kind = kindOf(file, checkpoint, inherits);
        const what = `descriptor ${number}`;
        if (kind === undefined) {
          same(task.pid, what, "open", target === undefined ? undefined : "open");
          if (inherits || file?.tty === undefined) leftOut(inherits ? GIVEN : UNNAMED);
        } else if (typeof kind === "string")
          same(task.pid, what, kind, asSaved({ proc }, kind, target));
        else
          same(
            task.pid,
            what,
            kind.name,
            target !== undefined && kind.shown.test(target) ? kind.name : target,
          );
        if (target === undefined) continue;
        const earlier = first.get(id);
        if (earlier === undefined)
          first.set(id, { pid, number, who: `${number} of task ${task.pid}` });
        else {
          const shared = sameOpenFile(earlier.pid, earlier.number, pid, number);
          if (shared === undefined) leftOut("whether two are one open file (kcmp)");
          else same(task.pid, `${what} is descriptor ${earlier.who}`, "yes", shared ? "yes" : "no");
        }
        const info = infoOf(proc, number);
        same(
          task.pid,
          `close-on-exec of ${what}`,
          flags & FD_CLOEXEC,
          info.flags & O_CLOEXEC ? 1 : 0,
        );
        if (file === undefined || inherits) continue;
        if (!flagsById.has(id)) flagsById.set(id, flagsOf(file, checkpoint));
        const kept = flagsById.get(id);
        const compared = file.pipe !== undefined && automounts ? KEPT & ~O_DIRECT : KEPT;
        if (kept !== undefined)
          same(task.pid, `flags of ${what}`, octal(kept & compared), octal(info.flags & compared));
        if (file.reg === undefined) continue;
        if (task.state !== "alive" || live.stopped)
          same(task.pid, `position of ${what}`, String(file.reg.pos), info.position);
        else leftOut("positions, as the tree runs");
      }
    }
  },
};

const GIVEN = "what --inherit-fd gives";
const UNNAMED =
  "names of deleted files, of those that never had one, and of others' (plugins, devices)";

/** Flags of open(2) of any kind of file; a FIFO has those of the file by which it was opened. */
function flagsOf(file: FileEntry, { openFiles }: Checkpoint): number | undefined {
  const { fifo, pidfd, ...kinds } = file;
  if (fifo !== undefined) return openFiles.get(fifo.regf_id ?? fifo.id)?.reg?.flags;
  // CRIU saves a pidfd's without its access mode, which is always this.
  if (pidfd !== undefined) return pidfd.flags | O_RDWR;
  for (const saved of Object.values(kinds))
    if (typeof saved === "object" && "flags" in saved) return saved.flags;
  return undefined;
}

/** A path that the descriptor must lead to, a kind of nameless file, or undefined where neither can be told. */
function kindOf(
  file: FileEntry | undefined,
  checkpoint: Checkpoint,
  inherits: boolean,
): string | { name: string; shown: RegExp } | undefined {
  if (file === undefined || inherits) return undefined;
  const reg = file.reg ?? checkpoint.openFiles.get(file.fifo?.regf_id ?? -1)?.reg;
  if (reg !== undefined) {
    // A deleted file comes back under another name, an external one as its plugin likes, a device of a mount namespace as it is.
    return checkpoint.remapped.has(reg.id) || reg.ext || (reg.flags & O_TMPFILE) !== 0
      ? undefined
      : shownName(reg);
  }
  const found = anonymous.find(([member]) => file[member] !== undefined);
  return found === undefined ? undefined : { name: found[2], shown: found[1] };
}

/** /proc/PID/fdinfo/N: octal flags, decimal position. */
function infoOf(proc: ProcessFiles, fd: number): { flags: number; position: string | undefined } {
  const text = proc.read(`fdinfo/${fd}`) ?? "";
  return {
    flags: Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(text)?.[1] ?? "0", 8),
    position: /^pos:\s*(\d+)$/m.exec(text)?.[1],
  };
}

const octal = (flags: number): string => `0${flags.toString(8)}`;
