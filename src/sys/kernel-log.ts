/** What the kernel logs: /dev/kmsg (Documentation/ABI/testing/dev-kmsg of Linux). */
import { AT_FDCWD, O_CLOEXEC } from "./linux.ts";
import { constants } from "node:fs";
import { ptr } from "bun:ffi";
import { call, cString } from "./libc.ts";
import { closeHandle } from "./small-files.ts";

const SYS_lseek = process.arch === "x64" ? 8n : 62n;
const SEEK_END = 2n;
const EPIPE = 32;

export interface KernelLog {
  /** The messages since the last call, without what stands before and behind them; those that were overwritten are lost. */
  records(): string[];
  close(): void;
}

/** From the end of the log on, or from its beginning; undefined where it must not be read. */
export function openKernelLog(from: "beginning" | "end" = "end"): KernelLog | undefined {
  const path = cString("/dev/kmsg");
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | O_CLOEXEC;
  const fd = call((c) => c.openat(AT_FDCWD, ptr(path), flags, 0));
  if (fd < 0) return undefined;
  if (from === "end") call((c) => c.syscall(SYS_lseek, BigInt(fd), 0n, SEEK_END, 0n, 0n, 0n));
  const space = Buffer.alloc(8192);
  return {
    records() {
      const records: string[] = [];
      for (;;) {
        const got = call((c) => c.read(fd, ptr(space), space.length));
        if (got === -EPIPE) continue;
        if (got <= 0) return records;
        const text = space.toString("utf8", 0, got);
        records.push(text.slice(text.indexOf(";") + 1).split("\n")[0]!);
      }
    },
    close: () => closeHandle(fd),
  };
}
