/** Remove what a failed CRIU leaves where there was nothing before it began. */
import { closeSync, constants, fstatSync } from "node:fs";
import { basename, dirname } from "pathe";
import { listUnixSockets } from "../host/sockets.ts";
import { ENOENT, ENOTEMPTY, errorText } from "../sys/errno.ts";
import { openDirectory, openEntry, openInRoot, rmdirat, unlinkat } from "../sys/files.ts";
import type { Step } from "./journal.ts";

const O_PATH = 0x200000;
const EBUSY = 16;

/** Returns undefined when it is gone, or what is left and why. */
export function removeLeaving({ action, root, path }: Step): string | undefined {
  const base = openDirectory(root);
  if (base < 0) return `${root}: ${errorText(base)}`;
  const parent = openInRoot(base, dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  closeSync(base);
  if (parent < 0) return parent === -ENOENT ? undefined : `${path}: ${errorText(parent)}`;
  try {
    const name = basename(path);
    return action === "cgroup"
      ? removeCgroup(parent, name, path)
      : removeSocket(parent, name, path);
  } finally {
    closeSync(parent);
  }
}

/** Only an empty cgroup can be removed: one that somebody uses stays. */
function removeCgroup(parent: number, name: string, path: string): string | undefined {
  const removed = rmdirat(parent, name);
  if (removed >= 0 || removed === -ENOENT) return undefined;
  if (removed === -EBUSY || removed === -ENOTEMPTY) return `${path}: in use by now; left alone`;
  return `${path}: ${errorText(removed)}`;
}

/** Only a socket that no live process has bound. */
function removeSocket(parent: number, name: string, path: string): string | undefined {
  const fd = openEntry(parent, name, O_PATH);
  if (fd < 0) return fd === -ENOENT ? undefined : `${path}: ${errorText(fd)}`;
  const isSocket = fstatSync(fd).isSocket();
  closeSync(fd);
  if (!isSocket) return `${path}: not a socket; left alone`;
  if (listUnixSockets().some((socket) => socket.path === path))
    return `${path}: in use by now; left alone`;
  const removed = unlinkat(parent, name);
  return removed < 0 ? `${path}: ${errorText(removed)}` : undefined;
}
