/** File locks as /proc/locks shows them (proc_locks(5)). */

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

/** A file's name in /proc/locks, from stat(2). */
export function lockName({ dev, ino }: { dev: number; ino: number }): string {
  const device = BigInt(dev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  const hex = (number: bigint) => number.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${ino}`;
}
