/** Whether this machine has killed a process for want of memory, as its kernel says. */
import { openKernelLog } from "../sys/kernel-log.ts";

const LAST = 3;
/** A log may have come from elsewhere, and numbers are used again. */
const HERE = "on this machine, which need not be that of the log";

/** What the kernel's log has of that process, by its number; a sentence where it has nothing, or cannot be read. */
export function memoryKills(pid: string): string[] {
  const log = openKernelLog("beginning");
  if (log === undefined)
    return [`${HERE}, the kernel's log cannot be read (dmesg, journalctl -k as root)`];
  const named = new RegExp(`(?:\\bprocess |\\bpid=|\\breaped process )${pid}\\b`);
  const records = log
    .records()
    .filter((record) => /out of memory|oom-kill|oom_reaper/i.test(record) && named.test(record));
  log.close();
  return records.length === 0
    ? [
        `${HERE}, the kernel has not killed ${pid} for want of memory, by this number and as far as its log goes back`,
      ]
    : records.slice(-LAST).map((record) => `${HERE}: kernel: ${record.slice(0, 300)}`);
}
