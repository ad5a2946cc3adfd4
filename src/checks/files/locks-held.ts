import { type HeldLock, lockName } from "../../host/locks.ts";
import { type FileLockEntry, FL_FLOCK, FL_OFD, FL_POSIX } from "../../image/index.ts";
import { F_RDLCK } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { inOwnDir } from "../private-dirs.ts";

const F_UNLCK = 2;

export const locksHeld: Check = {
  title: "Somebody else holds a file lock that CRIU will wait for",
  reads: "filelocks.img; /proc/locks",
  why:
    "CRIU takes a lock as the program did: it waits until it is free, with the whole tree half restored, and without a word. " +
    "Only locks of open file descriptions it does not wait for, and fails.",
  proof: "harm",
  waits: true,
  apart: true,
  run(context) {
    const { checkpoint, request, host } = context;
    if (!request.fileLocks || checkpoint.fileLocks.length === 0) return [];
    const locks = Map.groupBy(host.locks, ({ file }) => file);
    const tasks = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
    const descriptors = new Map<number, Map<number, number>>();
    return checkpoint.fileLocks.values().flatMap((lock): Problem[] => {
      let fds = descriptors.get(lock.pid);
      if (fds === undefined) {
        fds = new Map(tasks.get(lock.pid)?.fds.map(({ fd, id }) => [fd, id]));
        descriptors.set(lock.pid, fds);
      }
      const id = fds.get(lock.fd);
      // A deleted file is made anew, and has no locks.
      const path =
        id === undefined || checkpoint.remapped.has(id) ? undefined : pathOf(context, id);
      const by = path && locks.get(path.file)?.find((other) => excludes(lock, other));
      return path && by ? [inTheWay(lock, path.place, by)] : [];
    });
  },
};

/** The file of an image id, as it is on this machine. */
function pathOf({ checkpoint, namespaces }: Context, id: number) {
  const reg = checkpoint.openFiles.get(id)?.reg;
  const place = reg && namespaces.place(reg.name, reg.mnt_id);
  if (!place?.onHost) return undefined;
  const found = place.root.look(place.path);
  return found.ok ? { file: lockName(found.stat), place } : undefined;
}

/** fcntl(2) locks of both kinds exclude each other where they overlap, flock(2) locks each other. */
function excludes(lock: FileLockEntry, other: HeldLock): boolean {
  if (lock.type === F_UNLCK || (lock.type === F_RDLCK && !other.exclusive)) return false;
  if (lock.flag & FL_FLOCK) return other.kind === "FLOCK";
  if (!(lock.flag & (FL_POSIX | FL_OFD)) || (other.kind !== "POSIX" && other.kind !== "OFDLCK"))
    return false;
  const end = lock.len === 0n ? undefined : lock.start + lock.len - 1n;
  return (
    (other.end === undefined || lock.start <= other.end) &&
    (end === undefined || other.start <= end)
  );
}

function inTheWay(lock: FileLockEntry, place: HostPlace, by: HeldLock): Problem {
  const path = place.hostPath;
  const waits = !(lock.flag & FL_OFD);
  const holder = by.pid > 0 ? `process ${by.pid}` : "a process";
  return {
    severity: "blocker",
    task: lock.pid,
    image: "filelocks.img",
    subject: path,
    message: `${holder} holds a lock on ${path} that task ${lock.pid} had: CRIU would ${waits ? "wait for it" : "fail"}`,
    criu_message: waits ? null : "Can not set ofd lock!",
    apart: inOwnDir(place),
    remedy: {
      kind: "human",
      text: "stop the process that holds the lock, or restore without --file-locks: then the tree has no locks",
      command: by.pid > 0 ? sh`kill ${by.pid}` : sh`fuser -v ${path}`,
    },
  };
}
