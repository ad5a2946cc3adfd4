/** File locks that are held on this machine: /proc/locks (proc_locks(5)). */
import { readdirSync, readFileSync } from "node:fs";

export interface HeldLock {
  kind: "POSIX" | "FLOCK" | "OFDLCK" | "LEASE";
  exclusive: boolean;
  /** -1 of an open file description's own lock. */
  pid: number;
  /** Of the file: `major:minor:inode`, the device in hexadecimal as /proc/locks writes it. */
  file: string;
  start: bigint;
  /** The last byte; undefined up to the end of the file. */
  end: bigint | undefined;
}

const ROW =
  /^\d+: (POSIX|FLOCK|OFDLCK|LEASE) +\S+ +(\S+) +(-?\d+) ([0-9a-f]+:[0-9a-f]+:\d+) (\d+) (\d+|EOF)$/;

/** Locks that are held; those that only wait (`->`) are left out. */
export function parseLocks(text: string): HeldLock[] {
  return text.split("\n").flatMap((line): HeldLock[] => {
    const row = ROW.exec(line);
    if (row === null) return [];
    const [, kind, access, pid, file, start, end] = row as unknown as string[];
    return [
      {
        kind: kind as HeldLock["kind"],
        exclusive: access !== "READ",
        pid: Number(pid),
        file: file!,
        start: BigInt(start!),
        end: end === "EOF" ? undefined : BigInt(end!),
      },
    ];
  });
}

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

/** A file's name in /proc/locks, from stat(2). */
export function lockName({ dev, ino }: { dev: number; ino: number }): string {
  const device = BigInt(dev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  const hex = (number: bigint) => number.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${ino}`;
}
