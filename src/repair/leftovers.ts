/** Remove what a failed CRIU leaves where there was nothing before it began. */
import { INITIAL_PID_NAMESPACE, O_PATH } from "../sys/linux.ts";
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { isScratch } from "../criu/scratch.ts";
import { unescapeMountinfo } from "../host/cgroups.ts";
import { linkOf, listProcesses } from "../host/processes.ts";
import { ECONNREFUSED, ENOENT, ENOTEMPTY, errorText } from "../sys/errno.ts";
import { detach, handle, openEntry, rmdirat, unlinkat } from "../sys/files.ts";
import { join } from "../sys/path.ts";
import { connectDatagram } from "../sys/sockets.ts";
import { namesOf } from "../sys/walk.ts";
import { directoryOf, placeOf } from "./place.ts";
import type { Step } from "./step.ts";

const EBUSY = 16;

/** Returns undefined when it is gone, or what is left and why. */
export function removeLeftover(step: Step): string | undefined {
  const { action, path } = step;
  if (action === "scratch" && step.parent === undefined) return sayScratch(step);
  const place = action === "scratch" ? directoryOf(step) : placeOf(step);
  if (!place.ok) return place.left;
  const { fd, name } = place;
  try {
    if (action === "scratch") return removeScratch(fd, step.existing ?? []);
    if (action === "cgroup") return removeCgroup(fd, name, path);
    if (action === "sysctl") return setBack(fd, name, step);
    return action === "ghost" ? removeGhost(fd, name, step) : removeSocket(fd, name, path);
  } finally {
    closeSync(fd);
  }
}

/** Only an empty cgroup can be removed: one with processes or cgroups in it stays. */
function removeCgroup(parent: number, name: string, path: string): string | undefined {
  const removed = rmdirat(parent, name);
  if (removed >= 0 || removed === -ENOENT) return undefined;
  if (removed === -EBUSY || removed === -ENOTEMPTY) return `${path}: in use by now; left alone`;
  return `${path}: ${errorText(removed)}`;
}

/**
 * Only a socket that no live process has bound. The kernel looks for its owner by the file itself, in every network
 * namespace; any answer but that there is none may mean that a process has it.
 */
function removeSocket(parent: number, name: string, path: string): string | undefined {
  const fd = openEntry(parent, name, O_PATH);
  if (fd < 0) return fd === -ENOENT ? undefined : `${path}: ${errorText(fd)}`;
  const isSocket = fstatSync(fd).isSocket();
  const dead = isSocket && connectDatagram(fd) === -ECONNREFUSED;
  closeSync(fd);
  if (!isSocket) return `${path}: not a socket; left alone`;
  if (!dead) return `${path}: in use by now; left alone`;
  const removed = unlinkat(parent, name);
  return removed < 0 ? `${path}: ${errorText(removed)}` : undefined;
}

/**
 * A deleted file that CRIU had made again, or a directory with nothing in it. Two CRIUs cannot make the same of a name of
 * CRIU's own: what was not there when ours began is ours. Of another name it is what the images say that it is `like`.
 */
function removeGhost(parent: number, name: string, { path, like }: Step): string | undefined {
  const fd = openEntry(parent, name, O_PATH);
  if (fd < 0) return fd === -ENOENT ? undefined : `${path}: ${errorText(fd)}`;
  const stat = fstatSync(fd, { bigint: true });
  closeSync(fd);
  const isDirectory = stat.isDirectory();
  if (like !== undefined && (isDirectory || !isLike(stat, like)))
    return `${path}: it was not there before, and is not what CRIU made; left alone`;
  const removed = isDirectory ? rmdirat(parent, name) : unlinkat(parent, name);
  return removed < 0 && removed !== -ENOENT ? `${path}: ${errorText(removed)}` : undefined;
}

const madeIn = (directory: string, existing: readonly string[] = []): string[] =>
  readdirSync(directory).filter((name) => isScratch(name) && !existing.includes(name));

/** Of a directory that others could exchange for another: what is there now is only named. */
function sayScratch({ root, existing }: Step): string | undefined {
  const made = existsSync(root) ? madeIn(root, existing) : [];
  const paths = made.map((name) => join(root, name)).join(", ");
  return made.length === 0 ? undefined : `${paths}: others may have led here; left alone`;
}

function isLike({ dev, ino, mode, uid, gid, mtimeNs }: BigIntStats, like: string): boolean {
  const told = like.split(":");
  const found = told.length === 2 ? [dev, ino] : [mode, uid, gid, mtimeNs / 1000n];
  return told.every((value, at) => value === "" || value === String(found[at]));
}

/** Set a value back that CRIU wrote, if it was not changed since. */
function setBack(parent: number, name: string, { path, like = "" }: Step): string | undefined {
  const [before, made] = like.split(":");
  const file = `${handle(parent)}/${name}`;
  if (readFileSync(file, "utf8").trim() !== made) return undefined;
  writeFileSync(file, before!);
  return readFileSync(file, "utf8").trim() === before ? undefined : `${path}: it stays ${made}`;
}

/**
 * CRIU's temporary directories in `directory`, but for those `known`, with what is mounted there. While another CRIU runs,
 * they may be of that one.
 */
function removeScratch(directory: number, existing: readonly string[]): string | undefined {
  const made = madeIn(handle(directory), existing);
  if (made.length === 0) return undefined;
  const shown = readlinkSync(handle(directory));
  const paths = (some: readonly string[]) => some.map((name) => join(shown, name)).join(", ");
  // In a pid namespace of its own recriu does not see other CRIUs that use the same directory.
  const blind = linkOf("self", "ns/pid") !== INITIAL_PID_NAMESPACE;
  if (blind || listProcesses().some(({ comm, state }) => comm === "criu" && state !== "Z")) {
    return `${paths(made)}: perhaps of another CRIU that runs; left alone`;
  }
  const mountinfo = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mounts = mountinfo.map((line) => unescapeMountinfo(line.split(" ")[4] ?? ""));
  const left = made.filter((name) => {
    const path = join(shown, name);
    const below = mounts.filter((at) => at === path || at.startsWith(`${path}/`));
    for (const at of below.toReversed()) detachBelow(directory, at.slice(shown.length));
    const removed = rmdirat(directory, name);
    return removed < 0 && removed !== -ENOENT;
  });
  return left.length === 0 ? undefined : `${paths(left)}: cannot be removed`;
}

/** Detach what is mounted at `path` below a directory, if no link leads there. */
function detachBelow(directory: number, path: string): void {
  let at = openEntry(directory, ".", O_PATH);
  for (const name of namesOf(path)) {
    const next = at < 0 ? at : openEntry(at, name, O_PATH | constants.O_DIRECTORY);
    if (at >= 0) closeSync(at);
    at = next;
  }
  if (at < 0) return;
  detach(handle(at));
  closeSync(at);
}
