/** Where a file of a file system is found on this machine. */
import { unescapeMountinfo } from "./cgroups.ts";

/** Whether the path is the directory or below it; both absolute and without dots. */
const isBelow = (path: string, directory: string): boolean =>
  directory === "/" || path === directory || path.startsWith(`${directory}/`);

const joined = (directory: string, rest: string): string =>
  rest === "" ? directory : directory === "/" ? rest : directory + rest;

/**
 * The path at which mounts show `inside`, an absolute path within the file system `device` (major << 20 | minor, as images
 * have it). Of several the one by the mount that shows most of the file system. undefined when no mount of it shows that
 * path, or others are mounted over it. `mountinfo` is the text of that file (proc_pid_mountinfo(5)). Whether
 * there is such a file is not looked at.
 */
export function placeOf(mountinfo: string, device: number, inside: string): string | undefined {
  const mounts = mountinfo.split("\n").flatMap((line, order) => {
    const [, , number, root, point] = line.split(" ");
    if (point === undefined || root === undefined) return [];
    return [{ order, number, root: unescapeMountinfo(root), point: unescapeMountinfo(point) }];
  });
  const number = `${device >>> 20}:${device & 0xfffff}`;
  return mounts
    .filter((mount) => mount.number === number && isBelow(inside, mount.root))
    .toSorted((a, b) => a.root.length - b.root.length || a.point.length - b.point.length)
    .map((mount) => ({
      mount,
      path: joined(
        mount.point,
        mount.root === "/" ? inside.replace(/^\/$/, "") : inside.slice(mount.root.length),
      ),
    }))
    .find(({ mount, path }) => {
      const over = mounts.filter(({ point }) => isBelow(path, point));
      return over.every(
        ({ point, order }) =>
          point.length < mount.point.length || (point === mount.point && order <= mount.order),
      );
    })?.path;
}

/**
 * Another path at which what is mounted at `point` is found: a runtime mounts a container's root for CRIU, and the mount is
 * gone when somebody reads its path. Undefined where there is no such mount, or nothing else shows it.
 */
export function shownElsewhere(mountinfo: string, point: string): string | undefined {
  const lines = mountinfo.split("\n");
  const at = lines.findLastIndex((line) => unescapeMountinfo(line.split(" ")[4] ?? "") === point);
  const [, , number = "", root = ""] = lines[at]?.split(" ") ?? [];
  const [major = 0, minor = 0] = number.split(":").map(Number);
  return at < 0
    ? undefined
    : placeOf(lines.toSpliced(at, 1).join("\n"), (major << 20) | minor, unescapeMountinfo(root));
}
