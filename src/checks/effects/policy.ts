/** What an untrusted tree may do without anybody being asked: what the caller named, and what anybody on the machine may. */
import { dirname } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import type { Landing } from "./effect.ts";

const cache = new WeakMap<Context, string[]>();

/** The directories of --allow-write, as links lead. One that is not there allows nothing. */
function allowed(context: Context): string[] {
  let directories = cache.get(context);
  if (directories === undefined) {
    const host = context.host.root("/");
    directories = context.settings.allowWrite.flatMap((path) => {
      const found = host.ok && host.root.look(path).ok ? host.root.real(path) : undefined;
      return found === undefined ? [] : [found];
    });
    cache.set(context, directories);
  }
  return directories;
}

/**
 * Whether a path is outside of all that the tree may write to. With a mount namespace of its own its files are those that
 * the caller gave it by --root and --external.
 */
export function isOutside(
  context: Context,
  { path, escaped = false }: Pick<Landing, "path" | "escaped">,
): boolean {
  if (path === null || (context.namespaces.created.mnt && !escaped)) return false;
  if (path === undefined) return true;
  return !allowed(context).some(
    (directory) => directory === "/" || path === directory || path.startsWith(`${directory}/`),
  );
}

/** Whether a new name at this path is nothing that others could not make: in /tmp and its like. */
export function isCommonGround(context: Context, { path, stat }: Landing): boolean {
  if (typeof path !== "string" || stat !== undefined) return false;
  const host = context.host.root("/");
  const directory = host.ok ? host.root.look(dirname(path)) : undefined;
  return directory?.ok === true && (directory.stat.mode & 0o1002) === 0o1002;
}

/** Numbers of Linux's Documentation/admin-guide/devices.txt: memory devices that hold nothing, /dev/tty, /dev/ptmx. */
const harmless = new Set(["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:2"]);

export const deviceNumber = (rdev: number): string =>
  `${(rdev >>> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;

/** Whether a character device gives a task nothing that it could not have. */
export const isHarmlessDevice = (rdev: number): boolean => harmless.has(deviceNumber(rdev));

/** The same by name, of a device that only the tree's own mounts have. */
export const hasHarmlessName = (path: string): boolean =>
  /^\/dev\/(null|zero|full|random|urandom|tty|ptmx|pts\/\d+|pts\/ptmx)$/.test(path);
