/** The directories in which a run changes something: written down by their inodes, and found again only if they still are those. */
import { closeSync, constants } from "node:fs";
import type { Leftover } from "../checks/index.ts";
import { ENOENT, errorText } from "../sys/errno.ts";
import { openEntry, statInRoot } from "../sys/files.ts";
import { inodeOf, namesOf, openNamed, type Walk, walk, walkInside } from "../sys/walk.ts";
import type { Step } from "./step.ts";

const DIRECTORY = 0x200000 | constants.O_DIRECTORY;

/** In cgroups nothing can be moved or linked, so their owners do not matter. */
const rulesFor = (action: Step["action"]) => ({ named: action === "cgroup" });

/**
 * The step of something that CRIU will make: its path without links, and the deepest directory on it that is there now.
 * Where the way is not safe it has none, and what CRIU makes there is left to people.
 */
export function stepOf({ kind: action, ...leftover }: Leftover): Step {
  const { root, path } = leftover;
  if (action === "scratch") {
    const opened = openNamed(root);
    if (!opened.ok) return { action, ...leftover };
    closeSync(opened.fd);
    return { action, ...leftover, root: opened.at, parent: opened.inode };
  }
  const way = walkInside(root, path, rulesFor(action));
  if (!way.ok) return { action, ...leftover };
  closeSync(way.fd);
  const names = [...way.missing, ...namesOf(path).slice(-1)];
  const resolved = `/${[...namesOf(way.at), ...names].join("/")}`;
  return {
    action,
    ...leftover,
    root: way.root,
    path: resolved,
    parent: way.inode,
    below: names.length,
  };
}

/** The root of a step, for the caller to close: held, or by its path. */
function openRoot({ root, held }: Step): ReturnType<typeof openNamed> | { ok: true; fd: number } {
  return held === undefined ? openNamed(root) : { ok: true, fd: openEntry(held, ".", DIRECTORY) };
}

/** `left`: why it is left alone; undefined: the directory is gone, and with it what was in it. */
type Place = { ok: true; fd: number; name: string } | { ok: false; left: string | undefined };

/** The directory that the entry of a step is in (O_PATH, for the caller to close), and the entry's name there. */
export function placeOf(step: Step): Place {
  const { action, root, path, parent, below = 1 } = step;
  const names = namesOf(path);
  const name = names.at(-1);
  const leave = (why: string): Place => ({ ok: false, left: `${path}: ${why}; left alone` });
  const gone: Place = { ok: false, left: undefined };
  const opened = openRoot(step);
  if (!opened.ok) return opened.errno === ENOENT ? gone : leave(opened.problem);
  let way: Walk;
  try {
    if (name === undefined || parent === undefined)
      return statInRoot(opened.fd, path, false) === -ENOENT
        ? gone
        : leave("nobody but root could say in which directory it was");
    const base = names.slice(0, Math.max(0, names.length - below)).join("/");
    way = walk(opened.fd, base, { shown: root, ...rulesFor(action) });
  } finally {
    closeSync(opened.fd);
  }
  if (!way.ok) return leave(way.problem);
  let { fd } = way;
  const close = (answer: Place): Place => {
    closeSync(fd);
    return answer;
  };
  if (way.missing.length > 0) return close(gone);
  if (way.inode !== parent) return close(leave("its directory is another one by now"));
  // What was not there then, CRIU has made: no links.
  for (const next of names.slice(names.length - below, -1)) {
    const entered = openEntry(fd, next, DIRECTORY);
    close(gone);
    if (entered < 0) return entered === -ENOENT ? gone : leave(errorText(entered));
    fd = entered;
  }
  return { ok: true, fd, name };
}

/** The directory of a step that is about a directory's own entries: scratch and shadow; its inode must be the one written down. */
export function directoryOf({ root, parent }: Step): Place {
  const opened = openNamed(root);
  if (!opened.ok)
    return {
      ok: false,
      left: opened.errno === ENOENT ? undefined : `${opened.problem}; left alone`,
    };
  if (inodeOf(opened.fd) === parent) return { ok: true, fd: opened.fd, name: "." };
  closeSync(opened.fd);
  return { ok: false, left: `${root}: it is another directory by now; left alone` };
}
