/** Remove what a failed CRIU leaves where there was nothing before it began. */
import { closeSync, constants, fstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "pathe";
import { isScratch } from "../criu/scratch.ts";
import { unescapeMountinfo } from "../host/cgroups.ts";
import { linkOf, listProcesses } from "../host/processes.ts";
import { listUnixSockets } from "../host/sockets.ts";
import { ENOENT, ENOTEMPTY, errorText } from "../sys/errno.ts";
import { detach, openDirectory, openEntry, openInRoot, rmdirat, unlinkat } from "../sys/files.ts";
import type { Step } from "./journal.ts";

const O_PATH = 0x200000;
/** Its number never changes (PROC_PID_INIT_INO of linux/proc_ns.h). */
const INITIAL_PID_NAMESPACE = "pid:[4026531836]";
const EBUSY = 16;

/** Returns undefined when it is gone, or what is left and why. */
export function removeLeaving({ action, root, path, known }: Step): string | undefined {
  if (action === "scratch") return removeScratch(root, known ?? []);
  const base = openDirectory(root);
  if (base < 0) return `${root}: ${errorText(base)}`;
  const parent = openInRoot(base, dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  closeSync(base);
  if (parent < 0) return parent === -ENOENT ? undefined : `${path}: ${errorText(parent)}`;
  try {
    const name = basename(path);
    if (action === "cgroup") return removeCgroup(parent, name, path);
    return action === "ghost" ? removeGhost(parent, name, path) : removeSocket(parent, name, path);
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

/**
 * A deleted file that CRIU had made again, or a deleted directory with nothing in it. Two CRIUs cannot make the same:
 * what was not there when ours began is ours.
 */
function removeGhost(parent: number, name: string, path: string): string | undefined {
  const fd = openEntry(parent, name, O_PATH);
  if (fd < 0) return fd === -ENOENT ? undefined : `${path}: ${errorText(fd)}`;
  const isDirectory = fstatSync(fd).isDirectory();
  closeSync(fd);
  const removed = isDirectory ? rmdirat(parent, name) : unlinkat(parent, name);
  return removed < 0 && removed !== -ENOENT ? `${path}: ${errorText(removed)}` : undefined;
}

/**
 * CRIU's temporary directories in `directory`, but for those `known`, with what is mounted there. While another CRIU runs,
 * nobody can tell whose they are.
 */
function removeScratch(directory: string, known: readonly string[]): string | undefined {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return undefined; // the directory is gone, and they with it
  }
  const made = names.filter((name) => isScratch(name) && !known.includes(name));
  if (made.length === 0) return undefined;
  const paths = made.map((name) => join(realpathSync.native(directory), name));
  // In a pid namespace of its own recriu does not see who else uses the same directory.
  const blind = linkOf("self", "ns/pid") !== INITIAL_PID_NAMESPACE;
  if (blind || listProcesses().some(({ comm, state }) => comm === "criu" && state !== "Z")) {
    return `${paths.join(", ")}: perhaps of another CRIU that runs; left alone`;
  }
  const mountinfo = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mounts = mountinfo.map((line) => unescapeMountinfo(line.split(" ")[4] ?? ""));
  const left = paths.filter((path) => {
    const below = mounts.filter((at) => at === path || at.startsWith(`${path}/`));
    for (const at of below.toReversed()) detach(at);
    const parent = openDirectory(dirname(path));
    const removed = rmdirat(parent, basename(path));
    closeSync(parent);
    return removed < 0 && removed !== -ENOENT;
  });
  return left.length === 0 ? undefined : `${left.join(", ")}: cannot be removed`;
}
