import { EPERM, EROFS, errorText } from "../../sys/errno.ts";
import { dirname } from "../../sys/path.ts";
import { sh, type ShellCommand } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { ownDir } from "../private-dirs.ts";
import { readOnlyMounts } from "./read-only-mounts.ts";
import { pathSockets, refusal } from "./sockets.ts";
import { about, type AtPath, placeOf } from "./unix-entries.ts";
import { constants } from "node:fs";

export const unixSocketUnwritable: Check = {
  title: "Nothing can be made in the directory of a Unix socket",
  reads:
    "unix sockets in files.img; the directory of each name: its file system, its permissions; flags in mountpoints-*.img",
  why:
    "A socket's file is made anew at every restore, so its file system cannot be read-only, nor its directory closed to CRIU. A mount of a tree with a mount namespace " +
    "of its own can have been made read-only later: CRIU mounts it so before it binds, the root of the tree from 4.2 on. It is shown such a mount without the mark, and recriu " +
    "makes the mount read-only again before the tree runs.",
  proof: "criu",
  answers: ["edit", "person"],
  apart: true,
  run(context) {
    // In a mount namespace of the tree's own, what is read-only is what its images say.
    if (context.namespaces.created.mnt) return readOnlyMounts(context);
    const byDirectory = new Map<string, Problem | undefined>();
    for (const bound of pathSockets(context)) {
      const place = placeOf(context, bound, bound.name.path);
      const directory = place.onHost ? dirname(place.hostPath) : "";
      if (!place.onHost || byDirectory.has(directory)) continue;
      const found = place.root.look(dirname(place.path));
      const refused =
        found.ok && found.stat.isDirectory()
          ? place.root.access(dirname(place.path), constants.W_OK | constants.X_OK)
          : 0;
      byDirectory.set(
        directory,
        refused < 0
          ? {
              ...closed(context, bound, directory, refused),
              apart: refused === -EROFS ? ownDir(place, dirname(place.path)) : null,
            }
          : undefined,
      );
    }
    return [...byDirectory.values()].filter((finding) => finding !== undefined);
  },
};

function closed(context: Context, bound: AtPath, directory: string, errno: number): Problem {
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
    ...about(sure ? "blocker" : "warning", bound.image),
    subject: directory,
    message: `the socket ${bound.name.path} cannot be bound: ${directory}: ${errorText(errno)}`,
    criu_message: refusal(context, bound, errorText(errno)),
    remedy: { kind: "human", ...remedy },
  };
}
