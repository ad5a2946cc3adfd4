/** File locks (proc_locks(5)). CRIU restores them only with --file-locks, and says nothing without. */
import { readFileSync } from "node:fs";
import type { Facet } from "./facet.ts";

/** file_lock_entry.flag (criu/include/file-lock.h), and .type as fcntl(2) and flock(2) have it. */
const FL_POSIX = 1;
const FL_FLOCK = 2;
const kinds: Record<number, string> = { [FL_POSIX]: "POSIX", [FL_FLOCK]: "FLOCK" };
const F_RDLCK = 0;
const LOCK_SH = 1;

export const locks: Facet = {
  id: "file locks",
  final: "structure",
  moving: true,
  compare({ checkpoint, live, request }, { same }) {
    if (checkpoint.fileLocks.length === 0) return;
    const found = heldLocks();
    for (const { flag, type, pid, start, len } of checkpoint.fileLocks) {
      const kind = kinds[flag];
      const now = live.tasks.get(pid);
      if (kind === undefined || now === undefined) continue;
      const shared = flag === FL_POSIX ? type === F_RDLCK : type === LOCK_SH;
      const end = len === 0n ? "EOF" : String(start + len - 1n);
      const lock = `${kind} ${shared ? "READ" : "WRITE"} ${start} ${end}`;
      const held = found.has(`${now.pid} ${lock}`) ? "held" : undefined;
      same(pid, `lock ${lock}`, "held", held, request.fileLocks ? undefined : "expected");
    }
  },
};

/** `PID KIND ACCESS START END` of every lock that is held now. */
function heldLocks(): Set<string> {
  const held = new Set<string>();
  for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
    const [, kind, , access, pid, , start, end] = line.split(/\s+/);
    held.add([pid, kind, access, start, end].join(" "));
  }
  return held;
}
