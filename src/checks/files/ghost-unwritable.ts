import { upward } from "../../host/upward.ts";
import { EROFS } from "../../sys/errno.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { ownDir } from "../private-dirs.ts";
import { about, ghostsOf, isDirectory, kinds } from "./ghosts.ts";
import { constants } from "node:fs";

export const ghostUnwritable: Check = {
  title: "A deleted file cannot be made again: its file system is read-only",
  reads: "remap-fpath.img and ghost-file-*.img; the directory of each deleted file",
  why: "CRIU makes a deleted file again in its old directory, in the directory above when that is gone, and deletes it once it is open.",
  proof: "criu",
  apart: true,
  run(context) {
    // In a mount namespace of the tree's own CRIU makes mounts writable for the moment.
    if (context.namespaces.created.mnt) return [];
    return ghostsOf(context)
      .values()
      .flatMap((ghost): Problem[] => {
        const { place } = ghost;
        const above = [...upward(dirname(place.path))];
        const directory = above.find((path) => place.root.look(path).ok) ?? "/";
        if (place.root.access(directory, constants.W_OK) !== -EROFS) return [];
        const kind = isDirectory(ghost.ghost)
          ? `couldn't mkdirpat directory ${ghost.path}`
          : (kinds[ghost.ghost.mode & constants.S_IFMT] ?? "Can't create ghost regfile");
        return [
          {
            ...about("blocker", ghost),
            message: `the deleted file ${ghost.reg.name} cannot be made again: ${directory} is on a read-only file system`,
            criu_message: `${kind}: Read-only file system`,
            apart: ownDir(place, directory),
            remedy: {
              kind: "human",
              text: "make its file system writable for the restore",
              command: sh`mount -o remount,rw "$(findmnt -nT ${directory} -o TARGET)"`,
            },
          },
        ];
      });
  },
};
