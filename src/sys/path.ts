/**
 * Paths as text, by POSIX: `/` separates, `.` and `..` mean something, and every other character is part of a name. As
 * node:path/posix does it, which takes a third of the time of node:fs to load, at every start as criu.
 */

/** Without empty and `.` names, `..` taken together with what it leaves. A slash at the end stays. */
export function normalize(path: string): string {
  const absolute = path.startsWith("/");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    const last = names.at(-1);
    if (name !== ".." || last === ".." || (last === undefined && !absolute)) names.push(name);
    else names.pop();
  }
  if (names.length === 0) return absolute ? "/" : path.endsWith("/") ? "./" : ".";
  return `${absolute ? "/" : ""}${names.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/** The parts one below the other; a part that begins with `/` does not start anew. */
export const join = (...parts: readonly string[]): string =>
  normalize(parts.filter((part) => part !== "").join("/"));

/**
 * The path that `parts` lead to one after the other, without a slash at its end. Where none of them is absolute it is
 * relative: of the working directory, which may have no name, nothing is asked here (`sys/working-directory.ts`).
 */
export function resolve(...parts: readonly string[]): string {
  const from = parts.findLastIndex((part) => part.startsWith("/"));
  return withoutEnd(join(...parts.slice(Math.max(from, 0))));
}

/** How `to` is reached from the directory `from`: both absolute. */
export function relative(from: string, to: string): string {
  const names = (path: string) =>
    resolve(path)
      .split("/")
      .filter((name) => name !== "");
  const [here, there] = [names(from), names(to)];
  const differs = here.findIndex((name, at) => name !== there[at]);
  const common = differs < 0 ? here.length : differs;
  return [...here.slice(common).fill(".."), ...there.slice(common)].join("/");
}

/** What holds the last name; "." where there is only that. */
export function dirname(path: string): string {
  const whole = withoutEnd(path);
  const slash = whole.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : withoutEnd(whole.slice(0, slash));
}

/** The last name. */
export function basename(path: string): string {
  const whole = withoutEnd(path);
  return whole.slice(whole.lastIndexOf("/") + 1);
}

/** Where programs are that an ordinary user's PATH often lacks. */
export const usualPlaces = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/**
 * The directories of PATH, then `more`, each once. Relative entries are left out: the working directory may be one of
 * images, and what is started later sees them from elsewhere.
 */
export const searched = (path: string | undefined, more: readonly string[] = []): string[] => [
  ...new Set([...(path ?? "").split(":").filter((dir) => dir.startsWith("/")), ...more]),
];

/** Without slashes at the end, but for the root's own. */
function withoutEnd(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return end === path.length ? path : path.slice(0, end);
}
