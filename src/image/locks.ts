/** File locks in the images (file_lock_entry; criu/include/file-lock.h). */
import type { Checkpoint } from "./checkpoint.ts";
import type { FileLockEntry } from "./types.ts";

/** file_lock_entry.flag */
export const FL_POSIX = 1;
export const FL_FLOCK = 2;
export const FL_OFD = 4;
export const FL_LEASE = 8;

/** In file_lock_entry.type beside the kernel's: the lease is being broken, and the type is what it is to become. */
export const LEASE_BREAKING = 4;

/** VMA_FILE_PRIVATE and VMA_FILE_SHARED: then `shmid` of a mapping is a file's id (image.h). */
export const VMA_FILE = 0x40 | 0x80;

/**
 * The POSIX locks that a restore loses. CRIU takes a task's locks first and closes the files behind its mappings later
 * (restorer.c), and a process that closes any descriptor of a file gives up its locks on it: fcntl(2).
 */
export function locksLost(checkpoint: Checkpoint): FileLockEntry[] {
  const posix = checkpoint.fileLocks.filter(({ flag }) => (flag & FL_POSIX) !== 0);
  if (posix.length === 0) return [];
  // By name: of a mapping's file the images have no mount.
  const fileOf = (id: number | undefined): string | undefined =>
    id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg?.name;
  return [...Map.groupBy(posix, ({ pid }) => pid)].flatMap(([pid, locks]) => {
    const task = checkpoint.tasks.find((one) => one.pid === pid);
    const mapped = new Set(
      task?.mm?.vmas.flatMap(({ status, shmid }) =>
        status & VMA_FILE ? [fileOf(Number(shmid))] : [],
      ),
    );
    const ids = new Map(task?.fds.map(({ fd, id }) => [fd, id]));
    return locks.filter(({ fd }) => {
      const file = fileOf(ids.get(fd));
      return file !== undefined && mapped.has(file);
    });
  });
}
