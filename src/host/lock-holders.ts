/** File locks that are held on this machine, and by which processes. */
import { readdirSync, readFileSync } from "node:fs";
import { type HeldLock, parseLocks } from "./locks.ts";

export function listLocks(): HeldLock[] {
  try {
    return parseLocks(readFileSync("/proc/locks", "utf8"));
  } catch {
    return [];
  }
}

/** The same, and of open file descriptions' locks a process that has one open, from the lines of /proc/PID/fdinfo (proc(5)). */
export function listLocksWithHolders(): HeldLock[] {
  const locks = listLocks();
  if (!locks.some(({ pid }) => pid < 0)) return locks;
  const holders = new Map(descriptionLocks().map(([name, pid]) => [name, pid]));
  return locks.map((lock) =>
    lock.pid < 0 ? { ...lock, pid: holders.get(nameOf(lock)) ?? lock.pid } : lock,
  );
}

const nameOf = ({ file, start, end }: HeldLock): string => `${file} ${start} ${end}`;

function descriptionLocks(): [string, number][] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) =>
    infosOf(pid).flatMap((info) => {
      const rows = [...info.matchAll(/^lock:\t(.*OFDLCK.*)$/gm)].map(([, row]) => row!);
      return parseLocks(rows.join("\n")).map((lock): [string, number] => [
        nameOf(lock),
        Number(pid),
      ]);
    }),
  );
}

/** Of a process that ends meanwhile, or is not ours to look into, none: then its lock has no holder that is known. */
function infosOf(pid: string): string[] {
  try {
    const dir = `/proc/${pid}/fdinfo`;
    return readdirSync(dir).map((fd) => readFileSync(`${dir}/${fd}`, "utf8"));
  } catch {
    return [];
  }
}
