/** A file that another is put in the place of: it gets a name beside it, and its own back when the restore fails. */
import { closeSync } from "node:fs";
import type { PutFile } from "../checks/index.ts";
import { walkRepair } from "../plan/safe.ts";
import { EPERM, errorText } from "../sys/errno.ts";
import { renameFree } from "../sys/files.ts";
import { join } from "../sys/path.ts";
import { asUser } from "../sys/process.ts";
import { namesOf } from "../sys/walk.ts";
import { fileAt } from "./kept-names.ts";
import { placeOf } from "./place.ts";
import type { Step } from "./step.ts";

/** Give the file that is there the name `aside`, which must be free. Returns undefined, or what failed. */
export function putAside(
  repair: PutFile,
  aside: string,
  record: (step: Step) => void,
): string | undefined {
  const way = walkRepair(repair);
  if (!way.ok) return way.problem;
  const { fd: parent, at, inode: within, user, root } = way;
  try {
    const name = namesOf(repair.path).at(-1)!;
    const path = join(at, name);
    const inode = fileAt(parent, name);
    if (inode === undefined) return `${path}: it is gone by now`;
    record({ action: "aside", root, path, parent: within, inode, kept: aside });
    let done: number = -EPERM;
    const rename = () => (done = renameFree(parent, name, aside));
    // In a user's own directory nothing is done that he could not do.
    if (user === undefined) rename();
    else asUser(repair.uid, repair.gid, rename);
    return done < 0 ? `${join(at, aside)}: ${errorText(done)}` : undefined;
  } finally {
    closeSync(parent);
  }
}

/** Give it its name back. Returns undefined, or where it is left and why. */
export function bringBack(step: Step): string | undefined {
  const { path, inode, kept = "" } = step;
  const place = placeOf(step);
  if (!place.ok) return place.left;
  const { fd, name } = place;
  try {
    if (fileAt(fd, kept) !== inode) return undefined;
    const done = renameFree(fd, kept, name);
    return done < 0
      ? `${path}: ${errorText(done)}; what it was is ${kept} in the same directory`
      : undefined;
  } finally {
    closeSync(fd);
  }
}
