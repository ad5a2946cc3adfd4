/** What stands at a path. node:fs throws where that cannot be seen, even when it is told not to where there is nothing. */
import { lstatSync, type Stats, statSync } from "node:fs";
import { ENOENT, ENOTDIR } from "./errno.ts";
import { toBytes } from "./text.ts";

/**
 * stat(2), or with `follow` false lstat(2): -errno where it cannot be had. Only `isAbsent` of it means that nothing is
 * there; else that cannot be told.
 */
export function statAt(path: string, follow = true): Stats | number {
  try {
    // node:fs would write bytes that are not UTF-8 otherwise.
    return (follow ? statSync : lstatSync)(Buffer.from(toBytes(path)));
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -ENOENT;
  }
}

export const isAbsent = (errno: number): boolean => errno === -ENOENT || errno === -ENOTDIR;
