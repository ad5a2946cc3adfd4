/** File locks, as the descriptor that holds one shows it (proc_pid_fdinfo(5)). CRIU restores them only with --file-locks. */
import { statSync } from "node:fs";
import { listLocks } from "../host/lock-holders.ts";
import { lockName } from "../host/locks.ts";
import { locksLost } from "../image/index.ts";
import type { Facet } from "./facet.ts";

/** file_lock_entry.flag (criu/include/file-lock.h); leases are not shown by all kernels. */
const kinds: Record<number, string> = { 1: "POSIX", 2: "FLOCK", 4: "OFDLCK" };
/** Of every kind: the other types are exclusive. */
const F_RDLCK = 0;

export const locks: Facet = {
  id: "file locks",
  final: "outside",
  moving: true,
  compare({ checkpoint, live, request }, { same, leftOut }) {
    const lost = new Set(locksLost(checkpoint));
    for (const saved of checkpoint.fileLocks) {
      const { flag, type, pid, fd, start, len } = saved;
      const kind = kinds[flag];
      const now = live.tasks.get(pid);
      if (kind === undefined) leftOut("leases");
      if (kind === undefined || now === undefined) continue;
      const end = len === 0n ? "EOF" : String(start + len - 1n);
      const lock = `${kind} ${type === F_RDLCK ? "READ" : "WRITE"} ${start} ${end}`;
      const held = locksOf(now.proc.read(`fdinfo/${fd}`) ?? "").includes(lock);
      const without = !request.fileLocks
        ? "expected"
        : lost.has(saved) && !othersLock(now.pid, fd)
          ? "tolerated"
          : undefined;
      same(pid, `lock ${lock} of descriptor ${fd}`, "held", held ? "held" : undefined, without);
    }
  },
};

/** Whether somebody else has a lock on the file behind a descriptor, or nobody can tell. */
function othersLock(pid: number, fd: number): boolean {
  try {
    const file = lockName(statSync(`/proc/${pid}/fd/${fd}`));
    return listLocks().some((held) => held.file === file && held.pid !== pid);
  } catch {
    return true;
  }
}

/** `KIND ACCESS START END` of `lock:	1: FLOCK  ADVISORY  WRITE 123 fe:00:456 0 EOF`. */
const locksOf = (fdinfo: string): string[] =>
  fdinfo
    .split("\n")
    .filter((line) => line.startsWith("lock:"))
    .map((line) => line.split(/\s+/))
    .map(([, , kind, , access, , , start, end]) => [kind, access, start, end].join(" "));
