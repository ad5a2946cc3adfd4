/**
 * The shadow of an images directory: a private directory with a link in place of every image, but for a few of which it
 * has edited copies. CRIU is given it instead, and the images stay as they are.
 *
 * The links are relative and lead from one real path to the other. CRIU opens images from its descriptor of the
 * directory, also in tasks that have another root by then: an absolute link would be looked up in there, while `..` leads
 * up from the descriptor, through this machine's mounts.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "pathe";
import type { Edit } from "../checks/index.ts";
import { type Checkpoint, editedImage, openImageDirectory } from "../image/index.ts";
import { userns_entry } from "../image/tables/namespaces.ts";
import { ENOENT, errorText } from "../sys/errno.ts";
import { fchmod, fchown, openDirectory, openEntry, rmdirat, unlinkat } from "../sys/files.ts";
import { inodeOf } from "./directory.ts";
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
  const made = makePrivate([dirname(directory.real), "/run", process.env.TMPDIR ?? "/tmp"], record);
  if (!made.ok) return made;
  const { fd, path } = made;
  // Through the descriptor: whatever is put in the directory's place meanwhile is not written to.
  const inside = (name: string) => `${handle(fd)}/${name}`;
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
    const shared =
      group === undefined ? 0 : fchown(fd, process.geteuid!(), group) || fchmod(fd, 0o710);
    if (shared < 0) throw new Error(errorText(shared));
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
      const root = realpathSync(place);
      const step = { action: "shadow", root, path: `.recriu-${crypto.randomUUID()}` } as const;
      record(step);
      const path = join(root, step.path);
      mkdirSync(path, 0o700);
      const fd = openSync(path, DIRECTORY | constants.O_NOFOLLOW);
      // Who may write to `place` could have put another directory there.
      if (fstatSync(fd).uid !== process.geteuid!() || readdirSync(handle(fd)).length > 0)
        throw new Error(`${path} was replaced`);
      record({ ...step, inode: inodeOf(fd) });
      return { ok: true, fd, path };
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  return { ok: false, problem: `no directory for edited images can be made: ${problem}` };
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
const handle = (fd: number) => `/proc/self/fd/${fd}`;

function writeNew(path: string, bytes: Uint8Array): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  try {
    // As CRIU's own images are: the directory says who comes to them.
    fchmodSync(fd, 0o644);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}

/**
 * Remove a shadow, if it still is that directory: its links and copies, and nothing that they lead to. Returns undefined
 * when it is gone, or what is left and why.
 */
export function removeShadow({ root, path, inode }: Step): string | undefined {
  const shown = join(root, path);
  const parent = openDirectory(root);
  if (parent < 0) return parent === -ENOENT ? undefined : `${shown}: ${errorText(parent)}`;
  try {
    const fd = openEntry(parent, path, DIRECTORY);
    if (fd < 0) return fd === -ENOENT ? undefined : `${shown}: ${errorText(fd)}`;
    // Killed before it was written down, recriu has put nothing in it.
    const ours = inode === undefined || inodeOf(fd) === inode;
    if (ours && inode !== undefined) for (const name of readdirSync(handle(fd))) unlinkat(fd, name);
    closeSync(fd);
    if (!ours) return `${shown}: replaced by somebody else; left alone`;
    const removed = rmdirat(parent, path);
    return removed < 0 ? `${shown}: ${errorText(removed)}` : undefined;
  } finally {
    closeSync(parent);
  }
}
