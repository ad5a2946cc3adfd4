/**
 * Paths as the kernel has them: `/` separates, and nothing else does. (A library for all systems takes a backslash for a
 * separator, too, of which systemd's names are full; node:path would cost every start some of its milliseconds.)
 */

/** Without empty names, `.` and, as far as there is something before it, `..`; a slash at the end stays. */
function normalize(path: string): string {
  const absolute = path.startsWith("/");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (!absolute) names.push("..");
  }
  if (names.length === 0) return absolute ? "/" : path.endsWith("/") ? "./" : ".";
  return `${absolute ? "/" : ""}${names.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/** One path of several, normalized. */
export const join = (...paths: readonly string[]): string =>
  normalize(paths.filter((path) => path !== "").join("/"));

/** The last absolute path and those after it, or all of them from the working directory; no slash at the end. */
export function resolve(...paths: readonly string[]): string {
  const from = paths.findLastIndex((path) => path.startsWith("/"));
  const whole = from < 0 ? [process.cwd(), ...paths] : paths.slice(from);
  const path = join(...whole);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** The way from one directory to a path. */
export function relative(from: string, to: string): string {
  const [here, there] = [from, to].map((path) => resolve(path).split("/").filter(Boolean));
  let same = 0;
  while (same < here!.length && here![same] === there![same]) same += 1;
  return [...here!.slice(same).map(() => ".."), ...there!.slice(same)].join("/");
}

const withoutEnd = (path: string): string => path.replace(/(?<=[^/])\/+$/, "");

/** dirname(3). */
export function dirname(path: string): string {
  const name = withoutEnd(path);
  const slash = name.lastIndexOf("/");
  if (slash < 0) return ".";
  return withoutEnd(name.slice(0, slash)).replace(/^\/+$/, "/") || "/";
}

/** basename(3), "" for the root. */
export function basename(path: string): string {
  const name = withoutEnd(path);
  return name.slice(name.lastIndexOf("/") + 1);
}
