/** What CRIU and the tasks that it has made are at, as the kernel tells it: for a restore that gets nowhere. */
import { commOf, descendantsOf, procFile, readStat } from "../host/processes.ts";

/** Most kinds of waiting that are told apart. */
const MOST = 8;

/** One line for each kind of waiting, CRIU's own first: `criu 4120 waits in do_wait`, `task 4121 (sleep) runs`. */
export function standstillOf(criu: number): string[] {
  const alike = new Map<string, string[]>();
  for (const pid of [criu, ...descendantsOf(criu)]) {
    const doing = doingOf(pid);
    if (doing === undefined) continue;
    const name = pid === criu ? `criu ${pid}` : `task ${pid} (${commOf(pid) ?? "?"})`;
    const key = pid === criu ? "" : doing;
    alike.set(key, [...(alike.get(key) ?? [doing]), name]);
  }
  return [...alike.values()].slice(0, MOST).map(([doing, first, ...others]) => {
    const more = others.length === 0 ? "" : ` and ${others.length} more like it`;
    return `${first}${more}: ${doing}`;
  });
}

/** proc_pid_stat(5), proc_pid_wchan(5). */
function doingOf(pid: number): string | undefined {
  const state = readStat(pid)?.state;
  if (state === undefined) return undefined;
  if (state === "R") return "runs";
  if (state === "Z") return "has ended";
  if (state === "T" || state === "t") return "is stopped";
  const place = procFile(pid, "wchan")?.trim();
  const call = procFile(pid, "syscall")?.split(" ")[0];
  const inside = place && place !== "0" ? ` in ${place}` : "";
  const asked = call !== undefined && /^\d+$/.test(call) ? `, system call ${call}` : "";
  return `waits${inside}${asked}`;
}
