/** Each path among CRIU's options as an absolute one, from the directory that CRIU opens it in (crtools.c). */
import { realpathSync } from "node:fs";
import { workingDirectory } from "../sys/working-directory.ts";
import { criuOptions, type Text } from "./options.ts";
import type { Draft, External, Request } from "./request.ts";

/**
 * The images directory and the work directory are opened where CRIU is started; then it changes into the latter, and
 * opens everything else there. What was typed is kept in `typed`.
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
  const opened = (path: string | undefined) => (path === undefined ? undefined : there(path));
  const source = (entry: External): External =>
    (entry.kind === "mnt" || entry.kind === "dev") && entry.value !== undefined
      ? { ...entry, value: there(entry.value) }
      : entry;
  const paths = criuOptions.flatMap(({ sets, path }) =>
    path ? [[sets, opened(draft[sets as Text])] as const] : [],
  );
  return {
    ...draft,
    ...Object.fromEntries(paths),
    imagesDir,
    workDir,
    logFile: draft.logFile === "-" ? "-" : opened(draft.logFile),
    external: draft.external.map(source),
    actionScripts: draft.actionScripts.map((script) =>
      script.includes("/") ? there(script) : script,
    ),
    typed,
  };
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
