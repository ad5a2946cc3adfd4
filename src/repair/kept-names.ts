/**
 * The names that a dump gave to deleted files (link_remap.N). CRIU removes them before the last point at which a tree is
 * refused, and with the only name of a file its content would be gone. So each gets a second name until the tree runs.
 */
import { O_PATH } from "../sys/linux.ts";
import { randomBytes } from "node:crypto";
import { closeSync, fstatSync } from "node:fs";
import type { Leftover } from "../checks/index.ts";
import { errorText } from "../sys/errno.ts";
import { linkat, openEntry, unlinkat } from "../sys/files.ts";
import { inodeOf } from "../sys/walk.ts";
import { placeOf, stepOf } from "./place.ts";
import type { Step } from "./step.ts";

/** `dev:ino` of a regular file; undefined where there is none. */
export function fileAt(directory: number, name: string): string | undefined {
  const fd = openEntry(directory, name, O_PATH);
  if (fd < 0) return undefined;
  const inode = fstatSync(fd).isFile() ? inodeOf(fd) : undefined;
  closeSync(fd);
  return inode;
}

/** Give the file a second name. Where the way there is not safe, or the kernel refuses, the restore goes on without. */
export function keepName(leftover: Leftover, record: (step: Step) => void): void {
  const step = stepOf(leftover);
  const place = placeOf(step);
  if (!place.ok) return;
  const { fd, name } = place;
  try {
    const inode = fileAt(fd, name);
    if (inode === undefined) return;
    const kept = `.recriu-${randomBytes(8).toString("hex")}`;
    record({ ...step, inode, kept });
    linkat(fd, name, kept);
  } finally {
    closeSync(fd);
  }
}

/** The tree runs: the second name goes. */
export function dropName(step: Step): void {
  const place = placeOf(step);
  if (!place.ok) return;
  const { kept = "", inode } = step;
  if (fileAt(place.fd, kept) === inode) unlinkat(place.fd, kept);
  closeSync(place.fd);
}

/** The tree is refused: the first name comes back. Returns undefined, or what is left and why. */
export function bringNameBack(step: Step): string | undefined {
  const { path, inode, kept = "" } = step;
  const place = placeOf(step);
  if (!place.ok) return place.left;
  const { fd, name } = place;
  try {
    if (fileAt(fd, kept) !== inode) return undefined;
    const linked = fileAt(fd, name) === inode ? 0 : linkat(fd, kept, name);
    const done = linked < 0 ? linked : unlinkat(fd, kept);
    return done < 0
      ? `${path}: ${errorText(done)}; its file is ${kept} in the same directory`
      : undefined;
  } finally {
    closeSync(fd);
  }
}
