/**
 * The shadow of an images directory: a private directory with a link in place of every image, but for a few of which it
 * has edited copies. CRIU is given it instead, and the images stay as they are.
 *
 * The links are relative and lead from one real path to the other. CRIU opens images from its descriptor of the
 * directory, also in tasks that have another root by then: an absolute link would be looked up in there, while `..` leads
 * up from the descriptor, through this machine's mounts.
 */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "pathe";
import type { Edit } from "../checks/index.ts";
import { type Checkpoint, editedImage, openImageDirectory } from "../image/index.ts";
import { userns_entry } from "../image/tables/namespaces.ts";
import { ENOENT, errorText } from "../sys/errno.ts";
import { fchmod, fchown, openDirectory, openEntry, rmdirat, unlinkat } from "../sys/files.ts";
import type { Step } from "./journal.ts";

/** Its descriptor, open as long as CRIU may need it, or why there is none. */
export type ShadowResult = { ok: true; fd: number } | { ok: false; problem: string };

/**
 * Make the shadow of a checkpoint's directory: beside it where that can be written to, else where temporary files go.
 * `record` hears of it before it is made.
 */
export function makeShadow(
  checkpoint: Checkpoint,
  edits: readonly Edit[],
  record: (step: Step) => void,
): ShadowResult {
  const opened = openImageDirectory(checkpoint.dir);
  if (!opened.ok) return { ok: false, problem: opened.fault.problem };
  const { directory } = opened;
  const made = makePrivate([dirname(directory.real), "/run", tmpdir()], record);
  if (!made.ok) return made;
  const { fd, path } = made;
  // Through the descriptor: whatever is put in the directory's place meanwhile is not written to.
  const inside = (name: string) => `/proc/self/fd/${fd}/${name}`;
  const group = rootGroupOutside(checkpoint);
  const version = checkpoint.inventory?.img_version ?? 2;
  try {
    const edited = Map.groupBy(edits, ({ file }) => file);
    for (const [file, changes] of edited) {
      const image = editedImage(directory, file, changes, version);
      if (!image.ok) throw new Error(image.problem);
      writeNew(inside(file), image.bytes);
    }
    const images = relative(path, directory.real);
    for (const name of directory.names)
      if (!edited.has(name)) symlinkSync(join(images, name), inside(name));
    if (group !== undefined) void (fchown(fd, process.geteuid!(), group) || fchmod(fd, 0o710));
    return { ok: true, fd };
  } catch (error) {
    closeSync(fd);
    return { ok: false, problem: `the shadow of the images: ${(error as Error).message}` };
  }
}

/** Which group root's is outside the tree's own user namespace: its tasks are in it, and no more, when they open images. */
function rootGroupOutside(checkpoint: Checkpoint): number | undefined {
  const { root, inventory } = checkpoint;
  const id = root?.ids?.user_ns_id;
  if (id === undefined || id === inventory?.root_ids?.user_ns_id) return undefined;
  const [map] = checkpoint.values(`userns-${id}.img`, userns_entry);
  return map?.gid_map.find(({ first }) => first === 0)?.lower_first;
}

/** A new directory of a name that nobody can guess, in the first of `places` that takes one. */
function makePrivate(
  places: readonly string[],
  record: (step: Step) => void,
): { ok: true; fd: number; path: string } | { ok: false; problem: string } {
  let problem = "";
  for (const place of places) {
    try {
      const path = join(realpathSync(place), `.recriu-${randomUUID()}`);
      record({ action: "shadow", root: dirname(path), path: basename(path) });
      mkdirSync(path, 0o700);
      const fd = openDirectory(path);
      if (fd >= 0 && fchmod(fd, 0o700) >= 0) return { ok: true, fd, path };
      problem = errorText(fd);
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  return { ok: false, problem: `no directory for edited images can be made: ${problem}` };
}

function writeNew(path: string, bytes: Uint8Array): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}

/** Remove a shadow: its links and copies, and nothing that they lead to. Returns undefined when it is gone, or what is left. */
export function removeShadow({ root, path }: Step): string | undefined {
  const shown = join(root, path);
  const parent = openDirectory(root);
  if (parent < 0) return parent === -ENOENT ? undefined : `${shown}: ${errorText(parent)}`;
  try {
    const fd = openEntry(parent, path, constants.O_RDONLY | constants.O_DIRECTORY);
    if (fd < 0) return fd === -ENOENT ? undefined : `${shown}: ${errorText(fd)}`;
    for (const name of readdirSync(`/proc/self/fd/${fd}`)) unlinkat(fd, name);
    closeSync(fd);
    const removed = rmdirat(parent, path);
    return removed < 0 ? `${shown}: ${errorText(removed)}` : undefined;
  } finally {
    closeSync(parent);
  }
}
