/** Names as the kernel reports them and a dump writes them: each predicate is false of one that no dump can hold. */

/** PATH_MAX of linux/limits.h, without the NUL: CRIU joins paths in buffers of that size. */
const LONGEST_PATH = 4095;

/** No component leads up, and CRIU's buffers hold it. */
export const leadsDown = (path: string): boolean =>
  path.length <= LONGEST_PATH && !/(?:^|\/)\.\.(?:\/|$)/.test(path);

/** An absolute path; not every one that CRIU puts together itself is in its shortest form. */
export const isAbsolute = (path: string): boolean => path.startsWith("/") && leadsDown(path);

/** A path as d_path() of the kernel gives it; of the directory /proc/PID CRIU writes a slash behind it. */
export const isPath = (path: string): boolean =>
  isAbsolute(path) && !/\/\.?\//.test(path) && !path.endsWith("/.");

/** Links of /proc that lead to what a process has, wherever that is; /dev has links to some. */
const PROC_LINK =
  /^(\/.*\/\.\.)?\/(proc\/[^/]+\/(task\/\d+\/)?(root|cwd|exe|fd\/\d+|map_files\/[^/]+)|dev\/(fd\/\d+|stdin|stdout|stderr))(?<behind>\/.*)?$/s;

/** Whether such a link is on the way to `path`, or at its end: what is behind it cannot be told beforehand. */
export function procLink(path: string): "through" | "end" | undefined {
  if (!path.includes("proc") && !path.includes("dev")) return undefined;
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const found = PROC_LINK.exec(`/${names.join("/")}`);
  if (found === null) return undefined;
  return found.groups!["behind"] === undefined ? "end" : "through";
}

/** One entry of a directory. */
export const isComponent = (name: string): boolean =>
  name !== "" && name !== "." && name !== ".." && !name.includes("/") && name.length <= 255;

/** The path of a cgroup below its hierarchy's root, without a leading slash; the root's own is empty. */
export const isCgroupPath = (path: string): boolean =>
  path === "" || (path.length <= LONGEST_PATH && path.split("/").every(isComponent));

/** A controller of cgroups, a named hierarchy (what cgroup_parse_param() of the kernel takes), or "" for cgroup2. */
export const isController = (name: string): boolean =>
  name === "" || (/^(name=)?[\w.-]{1,63}$/.test(name) && isComponent(name.replace(/^name=/, "")));

/** dev_valid_name() of net/core/dev.c. */
export const isDeviceName = (name: string): boolean =>
  isComponent(name) && name.length < 16 && !/[:\s]/.test(name);

/** util_init() of CRIU makes a UUID. */
export const isRunId = (id: string): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
