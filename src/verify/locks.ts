/** File locks, as the descriptor that holds one shows it (proc_pid_fdinfo(5)). CRIU restores them only with --file-locks. */
import { statSync } from "node:fs";
import { listLocks } from "../host/lock-holders.ts";
import { lockName } from "../host/locks.ts";
import {
  type FileLockEntry,
  FL_FLOCK,
  FL_LEASE,
  FL_OFD,
  FL_POSIX,
  LEASE_BREAKING,
  locksLost,
} from "../image/index.ts";
import type { Facet } from "./facet.ts";

const kinds: Record<number, string> = {
  [FL_POSIX]: "POSIX",
  [FL_FLOCK]: "FLOCK",
  [FL_OFD]: "OFDLCK",
  [FL_LEASE]: "LEASE",
};

/** F_RDLCK, F_WRLCK, F_UNLCK: of a lease that is being broken, what it is to become. */
const ACCESS = ["READ", "WRITE", "UNLCK"];

export const locks: Facet = {
  id: "file locks",
  final: "outside",
  moving: true,
  compare({ checkpoint, live, request }, { same, leftOut }) {
    const lost = new Set(locksLost(checkpoint));
    for (const saved of checkpoint.fileLocks) {
      const { pid, fd } = saved;
      const lock = savedLock(saved);
      const now = live.tasks.get(pid);
      if (lock === undefined) leftOut("of a kind that is not known");
      if (lock === undefined || now === undefined) continue;
      const isHeld = locksOf(now.proc.read(`fdinfo/${fd}`) ?? "").includes(lock);
      const without = !request.fileLocks
        ? "expected"
        : lost.has(saved) && !othersLock(now.pid, fd)
          ? "tolerated"
          : undefined;
      same(pid, `lock ${lock} of descriptor ${fd}`, "held", isHeld ? "held" : undefined, without);
    }
  },
};

/** Whether another process has a lock on the file behind a descriptor, or that cannot be told. */
function othersLock(pid: number, fd: number): boolean {
  try {
    const file = lockName(statSync(`/proc/${pid}/fd/${fd}`));
    return listLocks().some((held) => held.file === file && held.pid !== pid);
  } catch {
    return true;
  }
}

/** As `locksOf` has it; undefined: of a kind that is not known. */
function savedLock({ flag, type, start, len }: FileLockEntry): string | undefined {
  const kind = kinds[flag];
  if (kind === undefined) return undefined;
  const end = len === 0n ? "EOF" : String(start + len - 1n);
  const state = flag !== FL_LEASE ? "" : type & LEASE_BREAKING ? " BREAKING" : " ACTIVE";
  return `${kind}${state} ${ACCESS[type & ~LEASE_BREAKING] ?? type} ${start} ${end}`;
}

/** `KIND ACCESS START END` of `lock:	1: FLOCK  ADVISORY  WRITE 123 fe:00:456 0 EOF`, of a lease `LEASE STATE …`. */
const locksOf = (fdinfo: string): string[] =>
  fdinfo
    .split("\n")
    .filter((line) => line.startsWith("lock:"))
    .map((line) => line.split(/\s+/))
    .map(([, , kind, state, access, , , start, end]) =>
      [kind, ...(kind === "LEASE" ? [state] : []), access, start, end].join(" "),
    );
