/** Unix sockets that CRIU binds again by path: their directories (sk-unix.c). */
import { constants } from "node:fs";
import { dirname } from "../sys/path.ts";
import { EPERM, EROFS, errorText } from "../sys/errno.ts";
import type { Lookup } from "../host/index.ts";
import type { Check, Context, Finding, Leaving, Repair } from "./finding.ts";
import type { Place } from "./paths.ts";
import {
  about,
  type AtPath,
  givenName,
  hasPath,
  inode,
  isBound,
  namedSockets,
  placeOf,
} from "./unix-entries.ts";
import { sh, type ShellCommand } from "../sys/shell.ts";

/** Sockets that CRIU binds to a path and leaves there. */
export const pathSockets = (context: Context): AtPath[] =>
  namedSockets(context)
    .filter(hasPath)
    .filter((named) => isBound(named) && !named.entry.deleted);

/** Directories that programs agree on, with the mode they must have: sticky and open to all for the X11 family. */
export function conventionOf(path: string): { mode: number; uid: number; gid: number } | undefined {
  if (/\/\.(X11|ICE|font|XIM|Test)-unix$/.test(path)) return { mode: 0o1777, uid: 0, gid: 0 };
  const user = /^\/run\/user\/(\d+)$/.exec(path);
  return user === null ? undefined : { mode: 0o700, uid: Number(user[1]), gid: Number(user[1]) };
}

/** The socket files that CRIU will make where there is nothing yet. */
export function socketLeavings(context: Context): Leaving[] {
  return pathSockets(context).flatMap((bound): Leaving[] => {
    const place = placeOf(context, bound, bound.name.path);
    if (!place.known || place.root.look(place.path).ok) return [];
    return [{ kind: "socket", root: place.root.path, path: place.path }];
  });
}

/** Path sockets of one directory that is not there. */
interface Orphans {
  place: Place & { known: true };
  /** The directory as the checkpoint names it. */
  directory: string;
  found: Lookup;
  sockets: AtPath[];
}

/** Path sockets whose directory is missing, or is no directory, by that directory on this machine. */
function orphans(context: Context): Map<string, Orphans> {
  const byDirectory = new Map<string, Orphans>();
  for (const bound of pathSockets(context)) {
    const place = placeOf(context, bound, bound.name.path);
    if (!place.known) continue;
    const at = dirname(place.hostPath);
    const known = byDirectory.get(at);
    if (known !== undefined) {
      known.sockets.push(bound);
      continue;
    }
    const found = place.root.look(dirname(place.path));
    if (found.ok && found.stat.isDirectory()) continue;
    byDirectory.set(at, { place, directory: dirname(bound.name.path), found, sockets: [bound] });
  }
  return byDirectory;
}

/** Mode and owner for a directory that is gone: the path's convention, what the images say of it, else the socket's owner. */
function repairFor(context: Context, { place, directory, sockets }: Orphans): Repair {
  const saved = [...context.checkpoint.openFiles.values()].find(
    (file) => file.reg?.name === directory,
  )?.reg?.mode;
  const convention = conventionOf(directory);
  const owner = sockets[0]?.entry.file_perms;
  return {
    id: "unix-socket-dir",
    action: "mkdir",
    root: place.root.path,
    path: dirname(place.path),
    mode: convention?.mode ?? (saved === undefined ? 0o755 : saved & 0o7777),
    uid: convention?.uid ?? owner?.uid ?? 0,
    gid: convention?.gid ?? owner?.gid ?? 0,
  };
}

export const unixSocketDir: Check = {
  id: "unix-socket-dir",
  title: "The directory of a Unix socket is gone",
  reads: "unix sockets in files.img; the directory of each name on this machine or under --root",
  why: "CRIU binds a socket to its old path but makes no directory for it. /tmp is emptied at boot, and /tmp/.X11-unix with it.",
  proof: "criu",
  run: (context) =>
    [...orphans(context)].map(([directory, lost]) => lostDirectory(context, directory, lost)),
};

/** A relative name is bound from inside the directory saved with it, into which CRIU goes first. */
function refusal(context: Context, bound: AtPath, errno: string): string {
  const { entry } = bound;
  const given = givenName(entry);
  const from = given.startsWith("/") ? undefined : entry.name_dir;
  const place = from === undefined ? undefined : placeOf(context, bound, from);
  return place?.known && !place.root.look(place.path).ok
    ? `unix: Can't change working dir ${from}: ${errno}`
    : `unix: Can't bind ${inode(entry)} addr ${given}: ${errno}`;
}

function lostDirectory(context: Context, directory: string, lost: Orphans): Finding {
  const [first] = lost.sockets;
  const { path } = first!.name;
  const errno = lost.found.ok ? "Not a directory" : lost.found.problem;
  const shared = {
    id: "unix-socket-dir",
    severity: "blocker",
    task: null,
    image: first!.image,
    subject: directory,
    criu_message: refusal(context, first!, errno),
  } as const;
  if (lost.found.ok || !lost.found.missing) {
    return {
      ...shared,
      message: `the socket ${path} cannot be bound: ${directory}: ${errno}`,
      remedy: lost.found.ok
        ? {
            kind: "human",
            text: `see what is at ${directory} and move it away`,
            command: sh`mv ${directory} ${directory}.aside`,
          }
        : { kind: "human", text: "find out why, then look again", command: null },
    };
  }
  const repair = repairFor(context, lost);
  const mode = repair.mode.toString(8).padStart(4, "0");
  return {
    ...shared,
    message: `the socket ${path} cannot be bound: its directory ${directory} does not exist`,
    remedy: {
      kind: "repair",
      text: `make the directory ${directory}, mode ${mode}, owner ${repair.uid}:${repair.gid}`,
      command: sh`install -d -m ${mode} -o ${repair.uid} -g ${repair.gid} ${directory}`,
      repair,
    },
  };
}

export const unixSocketUnwritable: Check = {
  id: "unix-socket-unwritable",
  title: "Nothing can be made in the directory of a Unix socket",
  reads: "unix sockets in files.img; the directory of each name: its file system, its permissions",
  why: "A socket's file is made anew at every restore, so its file system cannot be read-only, nor its directory closed to CRIU.",
  proof: "criu",
  run(context) {
    // In a mount namespace of the tree's own, what is read-only is what its images say.
    if (context.namespaces.own.mnt) return [];
    const byDirectory = new Map<string, Finding | undefined>();
    for (const bound of pathSockets(context)) {
      const place = placeOf(context, bound, bound.name.path);
      const directory = place.known ? dirname(place.hostPath) : "";
      if (!place.known || byDirectory.has(directory)) continue;
      const found = place.root.look(dirname(place.path));
      const refused =
        found.ok && found.stat.isDirectory()
          ? place.root.access(dirname(place.path), constants.W_OK | constants.X_OK)
          : 0;
      byDirectory.set(
        directory,
        refused < 0 ? closed(context, bound, directory, refused) : undefined,
      );
    }
    return [...byDirectory.values()].filter((finding) => finding !== undefined);
  },
};

function closed(context: Context, bound: AtPath, directory: string, errno: number): Finding {
  // A CRIU with other rights than recriu may be allowed what recriu is not.
  const sure = errno === -EROFS || errno === -EPERM;
  const remedies: Record<number, { text: string; command: ShellCommand }> = {
    [-EROFS]: {
      text: `make its file system writable`,
      command: sh`mount -o remount,rw "$(findmnt -nT ${directory} -o TARGET)"`,
    },
    [-EPERM]: { text: `take the immutable mark off it`, command: sh`chattr -i ${directory}` },
  };
  const remedy = remedies[errno] ?? {
    text: `restore as a user who may write to ${directory}`,
    command: sh`ls -ld ${directory}`,
  };
  return {
    ...about("unix-socket-unwritable", sure ? "blocker" : "warning", bound.image),
    subject: directory,
    message: `the socket ${bound.name.path} cannot be bound: ${directory}: ${errorText(errno)}`,
    criu_message: refusal(context, bound, errorText(errno)),
    remedy: { kind: "human", ...remedy },
  };
}
