/** File locks: restored only on request, and waited for (file-lock.c). */
import { type HeldLock, lockName } from "../host/index.ts";
import { FL_FLOCK, FL_OFD, FL_POSIX, type FileLockEntry, locksLost } from "../image/index.ts";
import { F_RDLCK } from "../sys/linux.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { sh } from "../sys/shell.ts";

const F_UNLCK = 2;

export const locksIgnored: Check = {
  id: "locks-ignored",
  title: "File locks are not restored without --file-locks",
  reads: "filelocks.img, and --file-locks",
  why:
    "Without the option CRIU leaves the locks out and says nothing: two programs may then write where each believes to be alone. " +
    "With it CRIU takes each lock again, and waits for those that somebody else holds; so recriu does not add it by itself.",
  proof: "harm",
  run({ checkpoint, request }) {
    const count = checkpoint.fileLocks.length;
    if (count === 0 || request.fileLocks || request.explicit.has("file-locks")) return [];
    return [
      {
        id: "locks-ignored",
        severity: "warning",
        task: checkpoint.fileLocks[0]!.pid,
        image: "filelocks.img",
        subject: "--file-locks",
        message: `${count} file lock${count === 1 ? "" : "s"} will not be restored`,
        criu_message: null,
        remedy: {
          kind: "option",
          text: "take the locks again",
          command: null,
          option: "--file-locks",
          automatic: false,
        },
      },
    ];
  },
};

export const locksHeld: Check = {
  id: "locks-held",
  title: "Somebody else holds a file lock that CRIU will wait for",
  reads: "filelocks.img; /proc/locks",
  why:
    "CRIU takes a lock as the program did: it waits until it is free, with the whole tree half restored, and without a word. " +
    "Only locks of open file descriptions it does not wait for, and fails.",
  proof: "harm",
  run(context) {
    const { checkpoint, request, host } = context;
    if (!request.fileLocks || checkpoint.fileLocks.length === 0) return [];
    const held = Map.groupBy(host.locks, ({ file }) => file);
    const tasks = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
    const descriptors = new Map<number, Map<number, number>>();
    return checkpoint.fileLocks.flatMap((lock): Finding[] => {
      let fds = descriptors.get(lock.pid);
      if (fds === undefined) {
        fds = new Map(tasks.get(lock.pid)?.fds.map(({ fd, id }) => [fd, id]));
        descriptors.set(lock.pid, fds);
      }
      const id = fds.get(lock.fd);
      // A deleted file is made anew, and nobody has a lock on it.
      const path =
        id === undefined || checkpoint.remapped.has(id) ? undefined : pathOf(context, id);
      const by = path && held.get(path.file)?.find((other) => excludes(lock, other));
      return path && by ? [inTheWay(lock, path.hostPath, by)] : [];
    });
  },
};

export const lockMapped: Check = {
  id: "lock-mapped",
  title: "A file lock is lost because the file is mapped too",
  reads: "filelocks.img, mm-PID.img, with --file-locks",
  why:
    "CRIU takes the locks of a task again and then closes the files that it opened for the task's mappings. A process that closes any descriptor " +
    "of a file gives up all its fcntl(2) locks on that file, so they are gone, and CRIU exits 0. Databases that map their files (SQLite in a browser) " +
    "lose them. The program goes on as if it had them: nobody else may use its files until it was started anew.",
  proof: "harm",
  run({ checkpoint, request }) {
    if (!request.fileLocks) return [];
    return [...Map.groupBy(locksLost(checkpoint), ({ pid }) => pid)].map(
      ([pid, locks]): Finding => {
        const task = checkpoint.tasks.find((one) => one.pid === pid);
        const names = locks.map(({ fd }) => {
          const id = task?.fds.find((held) => held.fd === fd)?.id;
          return (
            (id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg?.name) ??
            `descriptor ${fd}`
          );
        });
        const [first, ...others] = [...new Set(names)];
        const more = others.length === 0 ? "" : ` and ${others.length} more`;
        return {
          id: "lock-mapped",
          severity: "warning",
          task: pid,
          image: "filelocks.img",
          subject: first!,
          message: `task ${pid} will have lost its lock on ${first}${more}: it maps ${others.length === 0 ? "that file" : "those files"}, too`,
          criu_message: null,
          remedy: {
            kind: "human",
            text: "let nobody else use these files until the program was started anew",
            command: null,
          },
        };
      },
    );
  },
};

/** The file of an image id, as it is on this machine. */
function pathOf({ checkpoint, namespaces }: Context, id: number) {
  const reg = checkpoint.openFiles.get(id)?.reg;
  const place = reg && namespaces.place(reg.name, reg.mnt_id);
  if (!place?.known) return undefined;
  const found = place.root.look(place.path);
  return found.ok ? { file: lockName(found.stat), hostPath: place.hostPath } : undefined;
}

/** fcntl(2) locks of both kinds exclude each other where they overlap, flock(2) locks each other. */
function excludes(lock: FileLockEntry, held: HeldLock): boolean {
  if (lock.type === F_UNLCK || (lock.type === F_RDLCK && !held.exclusive)) return false;
  if (lock.flag & FL_FLOCK) return held.kind === "FLOCK";
  if (!(lock.flag & (FL_POSIX | FL_OFD)) || (held.kind !== "POSIX" && held.kind !== "OFDLCK"))
    return false;
  const end = lock.len === 0n ? undefined : lock.start + lock.len - 1n;
  return (
    (held.end === undefined || lock.start <= held.end) && (end === undefined || held.start <= end)
  );
}

function inTheWay(lock: FileLockEntry, path: string, by: HeldLock): Finding {
  const waits = !(lock.flag & FL_OFD);
  const holder = by.pid > 0 ? `process ${by.pid}` : "a process";
  return {
    id: "locks-held",
    severity: "blocker",
    task: lock.pid,
    image: "filelocks.img",
    subject: path,
    message: `${holder} holds a lock on ${path} that task ${lock.pid} had: CRIU would ${waits ? "wait for it" : "fail"}`,
    criu_message: waits ? null : "Can not set ofd lock!",
    remedy: {
      kind: "human",
      text: "stop whoever holds it, or restore without --file-locks and so without the locks",
      command: by.pid > 0 ? sh`kill ${by.pid}` : sh`fuser -v ${path}`,
    },
  };
}
