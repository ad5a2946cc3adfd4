/** Each path among CRIU's options as an absolute one, from the directory that CRIU opens it in (crtools.c). */
import { realpathSync } from "node:fs";
import { release } from "node:os";
import { workingDirectory } from "../sys/working-directory.ts";
import { criuOptions, type Text } from "./options.ts";
import type { Draft, External, Request } from "./request.ts";

/**
 * The images directory and the work directory are opened where CRIU is started; then it changes into the latter, and
 * opens everything else there, but what it mounts: the process that does so has been in another mount namespace and back, by
 * setns(2), which leads to `/` (mount-v2.c). What was typed is kept in `typed`.
 */
export function settlePaths(draft: Draft): Request {
  const typed = new Map<string, string>();
  const from = (directory: string) => (path: string) => {
    const absolute = absoluteFrom(directory, path);
    typed.set(absolute, path);
    return absolute;
  };
  const here = from(".");
  const imagesDir = here(draft.imagesDir);
  const workDir = here(draft.workDir);
  const there = from(workDir);
  const mounted = mountsOldWay(draft, release()) ? there : from("/");
  const opened = (path: string | undefined, open = there) =>
    path === undefined ? undefined : open(path);
  const source = (entry: External): External =>
    (entry.kind === "mnt" || entry.kind === "dev") && entry.value !== undefined
      ? { ...entry, value: mounted(entry.value) }
      : entry;
  const paths = criuOptions.flatMap(({ sets, path }) =>
    path ? [[sets, opened(draft[sets as Text])] as const] : [],
  );
  return {
    ...draft,
    ...Object.fromEntries(paths),
    imagesDir,
    workDir,
    root: opened(draft.root, mounted),
    logFile: draft.logFile === "-" ? "-" : opened(draft.logFile),
    external: draft.external.map(source),
    actionScripts: draft.actionScripts.map((script) =>
      script.includes("/") ? there(script) : script,
    ),
    typed,
  };
}

/** Whether CRIU makes mounts in the way it did before MOVE_MOUNT_SET_GROUP (Linux 5.15). */
export function mountsOldWay(
  { mntnsCompatMode }: Pick<Request, "mntnsCompatMode">,
  kernel: string,
): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  return mntnsCompatMode || major < 5 || (major === 5 && minor < 15);
}

const OUT = /^(?:\.\.(?:\/+|$))+/;

/** `path` from `directory`, "." being recriu's own. A `..` leads out of where the directory really is, links resolved. */
export function absoluteFrom(directory: string, path: string): string {
  if (path.startsWith("/")) return path;
  const from = directory === "." ? (workingDirectory() ?? "/proc/self/cwd") : directory;
  const below = path.replace(/^(?:\.(?:\/+|$))+/, "");
  const out = OUT.exec(below)?.[0];
  const base = out === undefined ? from : realPath(`${from}/${out}`);
  const rest = below.slice(out?.length);
  return rest === "" ? base : `${base === "/" ? "" : base}/${rest}`;
}

function realPath(directory: string): string {
  try {
    return realpathSync.native(directory);
  } catch {
    return directory.replace(/\/+$/, "");
  }
}
