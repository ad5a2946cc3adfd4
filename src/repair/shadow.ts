/**
 * The shadow of an images directory: a private directory with a link in place of every image, but for a few of which it
 * has edited copies. CRIU is given it instead, and the images stay as they are.
 *
 * The links are relative and lead from one real path to the other. CRIU opens images from its descriptor of the
 * directory, also in tasks that have another root by then: an absolute link would be looked up in there, while `..` leads
 * up from the descriptor, through this machine's mounts.
 */
import { closeSync, constants, fstatSync, readdirSync, realpathSync, statfsSync } from "node:fs";
import { ENOENT, errorText } from "../sys/errno.ts";
import { handle, mkdirat, openEntry, rmdirat, symlinkat, unlinkat } from "../sys/files.ts";
import { dirname, join } from "../sys/path.ts";
import { inodeOf, walkNamed } from "../sys/walk.ts";
import { directoryOf } from "./place.ts";
import type { Step } from "./step.ts";

/** A shadow's directory, open as long as CRIU may need it. */
export interface Shadow {
  readonly fd: number;
  readonly path: string;
}

export type ShadowResult = { ok: true; shadow: Shadow } | { ok: false; problem: string };

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
 * A new directory for a shadow, of a name that cannot be guessed, in the first of `places` that takes one and in which no
 * other user can put another in its place. `record` hears of it before it is made.
 */
export function openShadow(places: readonly string[], record: (step: Step) => void): ShadowResult {
  const problems: string[] = [];
  for (const place of places) {
    const made = makeShadow(place, record);
    if (typeof made !== "string") return { ok: true, shadow: made };
    problems.push(made);
  }
  const problem = `no directory for a shadow of the images can be made: ${problems.join("; ")}`;
  return { ok: false, problem };
}

function makeShadow(place: string, record: (step: Step) => void): Shadow | string {
  const way = walkNamed(place, { named: false });
  if (!way.ok) return way.problem;
  const { fd: parent, at: root } = way;
  try {
    if (way.missing.length > 0) return `${place}: ${errorText(ENOENT)}`;
    if (way.user !== undefined) return `${root} belongs to uid ${way.uid}`;
    const path = `.recriu-${crypto.randomUUID()}`;
    const step = { action: "shadow", root, path, parent: way.inode } as const;
    record(step);
    const made = mkdirat(parent, path, 0o700);
    const fd = made < 0 ? made : openEntry(parent, path, DIRECTORY);
    if (fd < 0) return `${join(root, path)}: ${errorText(fd)}`;
    record({ ...step, inode: inodeOf(fd) });
    return { fd, path: join(root, path) };
  } catch (error) {
    return (error as Error).message; // the journal cannot be written
  } finally {
    closeSync(parent);
  }
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Remove a shadow, if it still is that directory: its links and copies, and nothing that they lead to. Returns undefined
 * when it is gone, or what is left and why.
 */
export function removeShadow(step: Step): string | undefined {
  const { root, path, inode } = step;
  const shown = join(root, path);
  const place = directoryOf(step);
  if (!place.ok) return place.left;
  const { fd: parent } = place;
  try {
    const fd = openEntry(parent, path, DIRECTORY);
    if (fd < 0) return fd === -ENOENT ? undefined : `${shown}: ${errorText(fd)}`;
    // Killed before it was written down, recriu has put nothing in it.
    const ours =
      inode === undefined ? fstatSync(fd).uid === process.geteuid!() : inodeOf(fd) === inode;
    if (ours && inode !== undefined) for (const name of readdirSync(handle(fd))) unlinkat(fd, name);
    closeSync(fd);
    if (!ours) return `${shown}: replaced by somebody else; left alone`;
    const removed = rmdirat(parent, path);
    return removed < 0 ? `${shown}: ${errorText(removed)}` : undefined;
  } finally {
    closeSync(parent);
  }
}
