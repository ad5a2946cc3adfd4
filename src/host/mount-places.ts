/** Where a file of a file system is found on this machine. */
import { unescapeMountinfo } from "./cgroups.ts";

/** Whether the path is the directory or below it; both absolute and without dots. */
const isBelow = (path: string, directory: string): boolean =>
  directory === "/" || path === directory || path.startsWith(`${directory}/`);

const joined = (directory: string, rest: string): string =>
  rest === "" ? directory : directory === "/" ? rest : directory + rest;

export interface Mounted {
  /** Its place among the others: later ones cover earlier ones. */
  readonly order: number;
  /** MAJOR:MINOR of the file system. */
  readonly number: string;
  /** What of the file system it shows, and where. */
  readonly root: string;
  readonly point: string;
  /** It gets or gives what is mounted below it: shared, slave, mount_namespaces(7). */
  readonly shares: boolean;
}

const mountsIn = (mountinfo: string): Mounted[] =>
  mountinfo.split("\n").flatMap((line, order) => {
    const [, , number = "", root, point, , ...more] = line.split(" ");
    if (point === undefined || root === undefined) return [];
    const shares = more.slice(0, more.indexOf("-")).some((tag) => /^(?:shared|master):/.test(tag));
    return [
      { order, number, root: unescapeMountinfo(root), point: unescapeMountinfo(point), shares },
    ];
  });

/** The mount that `path` (absolute, links followed) is on, and where that is within its file system. */
export function mountHolding(
  mountinfo: string,
  path: string,
): { mount: Mounted; inside: string } | undefined {
  const mount = mountsIn(mountinfo)
    .filter(({ point }) => isBelow(path, point))
    .reduce<Mounted | undefined>(
      (best, each) => (best && best.point.length > each.point.length ? best : each),
      undefined,
    );
  if (mount === undefined) return undefined;
  const rest = mount.point === "/" ? path.replace(/^\/$/, "") : path.slice(mount.point.length);
  return { mount, inside: joined(mount.root, rest) };
}

/** Whether `mount` shows what is at `inside` in the file system `number`. */
export const showsAlso = (mount: Mounted, number: string, inside: string): boolean =>
  mount.number === number && isBelow(inside, mount.root);

/**
 * The path at which mounts show `inside`, an absolute path within the file system `device` (major << 20 | minor, as images
 * have it). Of several the one by the mount that shows most of the file system. undefined when no mount of it shows that
 * path, or others are mounted over it. `mountinfo` is the text of that file (proc_pid_mountinfo(5)). Whether
 * there is such a file is not looked at.
 */
export function placeOf(mountinfo: string, device: number, inside: string): string | undefined {
  const mounts = mountsIn(mountinfo);
  const number = `${device >>> 20}:${device & 0xfffff}`;
  return mounts
    .filter((mount) => showsAlso(mount, number, inside))
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
