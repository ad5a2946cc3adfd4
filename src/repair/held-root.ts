/**
 * A container's root, held: a runtime mounts it for CRIU and unmounts it as soon as CRIU has ended, maybe before recriu has
 * taken anything back. A copy of the mount that is nowhere mounted stays, and does not keep a runtime from unmounting the first.
 */
import { closeSync } from "node:fs";
import { cloneTree } from "../sys/files.ts";
import { openNamed } from "../sys/walk.ts";

/** The mount of `root` from there down; undefined where there is nothing to hold, or no right to (before Linux 5.2). */
export function holdRoot(root: string): number | undefined {
  if (root === "/") return undefined;
  const opened = openNamed(root);
  if (!opened.ok) return undefined;
  const held = cloneTree(opened.fd);
  closeSync(opened.fd);
  return held < 0 ? undefined : held;
}
