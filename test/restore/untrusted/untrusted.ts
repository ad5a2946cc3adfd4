/** --untrusted: images that somebody made or changed to do harm. The victims are files and processes of the stage. */
import { edit } from "../edit.ts";
import { readlinkSync } from "node:fs";

/** Descriptors of a process that lead to a path. */
export function holds(pid: number, path: string): boolean {
  for (let fd = 0; fd < 16; fd++)
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/ \(deleted\)$/, "") === path) return true;
    } catch {
      continue;
    }
  return false;
}

/** Change the one regular file of that name in the images. */
export const editFile = (images: string, path: string, change: (reg: any) => void) =>
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (reg?.name === path) change(reg);
  });
