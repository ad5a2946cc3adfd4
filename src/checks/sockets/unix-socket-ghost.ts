/** Unix sockets of deleted files: CRIU makes the file for the moment, and its directories (sk-unix.c, bind_on_deleted). */
import { upward } from "../../host/upward.ts";
import { EROFS } from "../../sys/errno.ts";
import { UNIX_PATH_MAX } from "../../sys/linux.ts";
import { dirname } from "../../sys/path.ts";
import type { HostPlace } from "../paths.ts";
import { asIfFree, ownDir } from "../private-dirs.ts";
import { sealedDirectory } from "../files/taken-along.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
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
import { constants } from "node:fs";

export const unixSocketGhost: Check = {
  title: "The deleted file of a Unix socket cannot be made again",
  reads: "deleted unix sockets in files.img; the directories of their names on this machine",
  why:
    "A socket keeps the name under which it was bound when its file is deleted. To give it that name CRIU makes the file and the directories " +
    "that are missing, and removes them again: something in the way, or a read-only file system, stops it, and so does a name of the greatest length.",
  proof: "criu",
  answers: ["repair", "person"],
  apart: true,
  run: (context) =>
    namedSockets(context)
      .filter(hasPath)
      .filter((named) => isBound(named) && named.entry.deleted === true)
      .flatMap((named) => refused(context, named) ?? []),
};

function refused(context: Context, named: AtPath): Problem | undefined {
  const { entry, image } = named;
  const name = givenName(entry);
  const shared = { ...about("blocker", image), subject: named.name.path };
  if (entry.name.length >= UNIX_PATH_MAX)
    return {
      ...shared,
      message: `the deleted socket ${name} has a name of the greatest length, which CRIU cannot bind again`,
      criu_message: `unix: ghost: Too long name for socket ${inode(entry)} name ${name}`,
      remedy: {
        kind: "human",
        text: "dump again with a shorter name, or with the file in place",
      },
    };
  const base = name.startsWith("/") ? undefined : entry.name_dir;
  if (base !== undefined) {
    const place = placeOf(context, named, base);
    const found = place.onHost ? place.root.look(place.path) : undefined;
    if (!place.onHost || found === undefined || found.ok) return undefined;
    return {
      ...shared,
      message: `the deleted socket ${name} was bound from the directory ${place.hostPath}: ${found.problem}`,
      criu_message: `unix: Can't change working dir ${base}: ${found.problem}`,
      remedy: found.missing
        ? directoryAgain(context, named, place)
        : {
            kind: "human",
            text: "look at that path, mend what keeps it from being looked at, and call recriu again",
          },
    };
  }
  const place = placeOf(context, named, named.name.path);
  if (!place.onHost) return undefined;
  for (const path of upward(dirname(place.path))) {
    if (path === "/") break;
    const found = place.root.look(path);
    if (!found.ok && found.problem === "No such file or directory") continue;
    const problem = !found.ok
      ? found.problem
      : !found.stat.isDirectory()
        ? "Not a directory"
        : !context.namespaces.created.mnt && place.root.access(path, constants.W_OK) === -EROFS
          ? "Read-only file system"
          : undefined;
    if (problem === undefined) return undefined;
    return {
      ...shared,
      message: `the deleted socket ${name} cannot be bound again: ${path}: ${problem}`,
      apart:
        found.ok && found.stat.isDirectory() ? ownDir(place, path) : asIfFree({ ...place, path }),
      criu_message: `unix: ghost: Can't access ${path} for socket ${inode(entry)} name ${name}`,
      remedy: {
        kind: "human",
        text: `see what is at ${path}, and move it away`,
        command: sh`mv ${path} ${path}.aside`,
      },
    };
  }
  return undefined;
}

/** As it was sealed, or as a directory that the socket's owner has. */
function directoryAgain(context: Context, { entry }: AtPath, place: HostPlace): Remedy {
  const { root, path, hostPath } = place;
  const { file_perms: of } = entry;
  const owner = context.namespaces.ownerOnHost(of?.uid ?? 0, of?.gid ?? 0) ?? { uid: 0, gid: 0 };
  const { mode, uid, gid } = sealedDirectory(context, path) ?? { mode: 0o755, ...owner };
  const octal = mode.toString(8).padStart(4, "0");
  return {
    kind: "repair",
    text: `make the directory again, mode ${octal}, owner ${uid}:${gid}`,
    command: sh`install -d -m ${octal} -o ${uid} -g ${gid} ${hostPath}`,
    repair: { action: "mkdir", root: root.path, path, mode, uid, gid },
  };
}
