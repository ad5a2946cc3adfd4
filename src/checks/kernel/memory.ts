/** Memory that this machine must have for the tree: at all, by its overcommit rules, in huge pages. */
import type { Host } from "../../host/index.ts";

export const MAP_SHARED = 1;

export const MAP_NORESERVE = 0x4000;

export const MAP_HUGETLB = 0x40000;

/** A field of /proc/meminfo in bytes. */
export function meminfo(host: Host, field: string): number {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(host.read("/proc/meminfo") ?? "");
  return found === null ? 0 : Number(found[1]) * 1024;
}
