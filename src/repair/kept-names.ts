/**
 * The names that a dump gave to deleted files (link_remap.N). CRIU removes them before the last point at which a tree is
 * refused, and with the only name of a file its content would be gone. So each gets a second name until the tree runs.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync } from "node:fs";
import { basename, dirname } from "pathe";
import { ENOENT, errorText } from "../sys/errno.ts";
import { linkat, openDirectory, openEntry, openInRoot, unlinkat } from "../sys/files.ts";
import { inodeOf } from "./directory.ts";
import type { Step } from "./journal.ts";

const O_PATH = 0x200000;

/** Do something in the directory of `path` inside `root`; the kernel's refusal where that cannot be opened. */
function inDirectory<T>(
  { root, path }: Pick<Step, "root" | "path">,
  use: (directory: number, name: string) => T,
): T | number {
  const base = openDirectory(root);
  if (base < 0) return base;
  const parent = openInRoot(base, dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  closeSync(base);
  if (parent < 0) return parent;
  try {
    return use(parent, basename(path));
  } finally {
    closeSync(parent);
  }
}

/** `dev:ino` of a regular file; undefined where there is none. */
function fileAt(directory: number, name: string): string | undefined {
  const fd = openEntry(directory, name, O_PATH);
  if (fd < 0) return undefined;
  const inode = fstatSync(fd).isFile() ? inodeOf(fd) : undefined;
  closeSync(fd);
  return inode;
}

/** Give the file a second name. Where the kernel refuses that, the restore goes on without. */
export function keepName(at: Pick<Step, "root" | "path">, record: (step: Step) => void): void {
  inDirectory(at, (directory, name) => {
    const inode = fileAt(directory, name);
    if (inode === undefined) return;
    const kept = `.recriu-${randomBytes(8).toString("hex")}`;
    record({ action: "name", ...at, inode, kept });
    linkat(directory, name, kept);
  });
}

/** The tree runs: the second name goes. */
export function dropName({ root, path, inode, kept = "" }: Step): void {
  inDirectory({ root, path }, (directory) => {
    if (fileAt(directory, kept) === inode) unlinkat(directory, kept);
  });
}

/** The tree is refused: the first name comes back. Returns undefined, or what is left and why. */
export function bringNameBack({ root, path, inode, kept = "" }: Step): string | undefined {
  const failed = inDirectory({ root, path }, (directory, name) => {
    if (fileAt(directory, kept) !== inode) return 0;
    const linked = fileAt(directory, name) === inode ? 0 : linkat(directory, kept, name);
    return linked < 0 ? linked : unlinkat(directory, kept);
  });
  if (failed >= 0 || failed === -ENOENT) return undefined;
  return `${path}: ${errorText(failed)}; its file is ${kept} in the same directory`;
}
