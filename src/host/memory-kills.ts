/** Whether this machine has killed anything for want of memory, as its kernel and the caller's cgroup say. */
import { readFileSync } from "node:fs";
import { openKernelLog } from "../sys/kernel-log.ts";

/** The kernel's last words of that kind, and the count of the cgroup; a sentence in the place of what cannot be read. */
export function memoryKills(): string[] {
  return [...kernelSays(), ...cgroupSays()];
}

const LAST = 3;

function kernelSays(): string[] {
  const log = openKernelLog("beginning");
  if (log === undefined)
    return ["the kernel's log cannot be read here (dmesg, journalctl -k as root)"];
  const records = log
    .records()
    .filter((record) => /out of memory|oom-kill|oom_reaper/i.test(record));
  log.close();
  return records.length === 0
    ? ["the kernel's log on this machine has nothing of a process killed for want of memory"]
    : records.slice(-LAST).map((record) => `kernel: ${record.slice(0, 300)}`);
}

function cgroupSays(): string[] {
  try {
    const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    if (own === undefined) return [];
    const events = readFileSync(`/sys/fs/cgroup${own}/memory.events`, "utf8");
    const killed = /^oom_kill (\d+)$/m.exec(events)?.[1];
    return killed === undefined || killed === "0"
      ? []
      : [`cgroup ${own}: ${killed} processes were killed for want of memory (memory.events)`];
  } catch {
    return [];
  }
}
