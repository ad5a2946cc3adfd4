/** Which hierarchies of control groups are mounted where (cgroups(7)), from what the kernel lists. */
import { join } from "../sys/path.ts";

export interface CgroupMount {
  /** "" for cgroup2, else the v1 controllers or `name=…` of the hierarchy. */
  controllers: readonly string[];
  mountpoint: string;
  /** The cgroup that is mounted there: "/" unless only a part of the hierarchy is. */
  root: string;
  /** This mount of it, or the hierarchy wherever it is mounted. */
  readOnly: false | "mount" | "hierarchy";
  /** `major:minor` of its file system. */
  device: string;
}

/** Cgroup mounts in the text of a mountinfo file (proc_pid_mountinfo(5)); the last one mounted at a place wins. */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const fields = left?.split(" ") ?? [];
    const [fstype, , superOptions] = right?.split(" ") ?? [];
    if (fstype !== "cgroup" && fstype !== "cgroup2") continue;
    const genericOptions = new Set([
      "rw",
      "ro",
      "xattr",
      "noprefix",
      "clone_children",
      "nsdelegate",
      "memory_recursiveprot",
      "favordynmods",
    ]);
    const options = (superOptions ?? "").split(",");
    mounts.push({
      controllers:
        fstype === "cgroup2"
          ? [""]
          : options.filter((o) => !genericOptions.has(o) && !o.startsWith("release_agent=")),
      mountpoint: unescapeMountinfo(fields[4] ?? ""),
      root: unescapeMountinfo(fields[3] ?? "/"),
      device: fields[2] ?? "",
      readOnly: options.includes("ro")
        ? "hierarchy"
        : (fields[5] ?? "").split(",").includes("ro") && "mount",
    });
  }
  return mounts;
}

/** mountinfo writes blanks and backslashes of paths as octal escapes. */
export function unescapeMountinfo(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Where the cgroup `path` of a hierarchy is on this machine; undefined when that hierarchy (or part of it) is not mounted. */
export function cgroupDirectory(
  mounts: readonly CgroupMount[],
  controllers: readonly string[],
  path: string,
): string | undefined {
  const all = mounts.filter((m) => controllers.every((c) => m.controllers.includes(c)));
  // A hierarchy may be mounted in several places: people look for it in the usual one.
  const mount = all.findLast((m) => m.mountpoint.startsWith("/sys/fs/cgroup")) ?? all.at(-1);
  if (mount === undefined) return undefined;
  if (mount.root === "/") return join(mount.mountpoint, path);
  return path === mount.root || path.startsWith(`${mount.root}/`)
    ? join(mount.mountpoint, path.slice(mount.root.length))
    : undefined;
}
