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
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  statfsSync,
} from "node:fs";
import { dirname, join } from "pathe";
import { ENOENT, errorText } from "../sys/errno.ts";
import { openDirectory, openEntry, rmdirat, symlinkat, unlinkat } from "../sys/files.ts";
import { inodeOf } from "./directory.ts";
import type { Step } from "./journal.ts";

/** A shadow's directory, open as long as CRIU may need it. */
export interface Shadow {
  readonly fd: number;
  readonly path: string;
}

/** Where a shadow of `images` may be: beside them where that can be written to, else where temporary files go. */
export function besides(images: string): string[] {
  const places = ["/run", process.env.TMPDIR ?? "/tmp"];
  try {
    return [dirname(realpathSync.native(images)), ...places];
  } catch {
    return places; // there are no images, which others say
  }
}

/** statfs(2): f_type. */
const TMPFS_MAGIC = 0x01021994;

/** Those of this machine's places for temporary files that are in memory, where a link takes 5 us; on a disk it may be 900. */
export const inMemory = (): string[] =>
  ["/run", "/dev/shm"].filter((place) => {
    try {
      return statfsSync(place).type === TMPFS_MAGIC;
    } catch {
      return false;
    }
  });

/** The image that CRIU reads first. */
export const FIRST = "inventory.img";

/** What is in the place of the first image until the shadow is filled: `target`, which CRIU will open and wait for. */
export const holdFirst = ({ fd }: Shadow, target: string): void => link(target, fd, FIRST);

/** A link in a shadow. Throws where none can be made. */
export function link(target: string, shadow: number, name: string): void {
  const made = symlinkat(target, shadow, name);
  if (made < 0) throw new Error(errorText(made));
}

/**
 * A new directory for a shadow, of a name that nobody can guess, in the first of `places` that takes one. `record` hears
 * of it before it is made.
 */
export function openShadow(
  places: readonly string[],
  record: (step: Step) => void,
): { ok: true; shadow: Shadow } | { ok: false; problem: string } {
  let problem = "";
  for (const place of places) {
    try {
      const root = realpathSync.native(place);
      const step = { action: "shadow", root, path: `.recriu-${crypto.randomUUID()}` } as const;
      record(step);
      const path = join(root, step.path);
      mkdirSync(path, 0o700);
      const fd = openSync(path, DIRECTORY | constants.O_NOFOLLOW);
      // Who may write to `place` could have put another directory there.
      if (fstatSync(fd).uid !== process.geteuid!() || readdirSync(handle(fd)).length > 0)
        throw new Error(`${path} was replaced`);
      record({ ...step, inode: inodeOf(fd) });
      return { ok: true, shadow: { fd, path } };
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  return { ok: false, problem: `no directory for a shadow of the images can be made: ${problem}` };
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
/** A descriptor as a path. */
export const handle = (fd: number) => `/proc/self/fd/${fd}`;

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
