/** File systems that are not mounted, of which only the empty place is there. */
import { unescapeMountinfo } from "../../host/cgroups.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Context, Remedy } from "../finding.ts";
import type { HostPlace } from "../paths.ts";

/** An empty directory that is no mount point: perhaps one was mounted there. */
export function isBareMountPoint(context: Context, { root, path }: HostPlace, at: string): boolean {
  const found = root.look(at);
  const above = root.look(dirname(at));
  if (at === "/" || !found.ok || !above.ok || !found.stat.isDirectory()) return false;
  return found.stat.dev === above.stat.dev && root.isEmpty(at) && at.length <= path.length;
}

export const mountIt = (at: string): Remedy => ({
  kind: "human",
  text: `the file system of ${at} (/etc/fstab) is not mounted: mount it`,
  command: sh`mount ${at}`,
});

/** The mount point at or above a path of this machine that /etc/fstab has, fstab(5), and that is none now. */
export function unmounted({ host }: Context, path: string): string | undefined {
  const fields = (text: string | undefined, field: number) =>
    (text ?? "")
      .split("\n")
      .filter((line) => !/^\s*(#|$)/.test(line))
      .map((line) => unescapeMountinfo(line.trim().split(/\s+/)[field] ?? ""));
  const planned = fields(host.read("/etc/fstab"), 1).filter(
    (at) => at.startsWith("/") && at !== "/" && (path === at || path.startsWith(`${at}/`)),
  );
  if (planned.length === 0) return undefined;
  const mounted = new Set(fields(host.read("/proc/self/mountinfo"), 4));
  return planned.find((at) => !mounted.has(at));
}
