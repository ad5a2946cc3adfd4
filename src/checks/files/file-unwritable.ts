import { EROFS } from "../../sys/errno.ts";
import { O_PATH } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { inOwnDir } from "../private-dirs.ts";
import { about, accessMode } from "./file-content.ts";
import { openedName, judged } from "./used-files.ts";
import { constants } from "node:fs";

export const fileUnwritable: Check = {
  title: "A file that a task writes to is on a read-only file system",
  reads: "flags in files.img; the file's mount on this machine",
  why: "CRIU opens every file with the flags it was open with; for writing, a read-only file system refuses.",
  proof: "criu",
  apart: true,
  run(context) {
    // In a mount namespace of the tree's own, what is read-only is what its images say.
    if (context.namespaces.created.mnt) return [];
    return judged(context, (file): Problem[] => {
      const { reg } = file;
      if (!file.uses.has("descriptor") || accessMode(reg) === 0 || reg.flags & O_PATH) return [];
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      if (!place.onHost || place.root.access(place.path, constants.W_OK) !== -EROFS) return [];
      return [
        {
          ...about("blocker", file),
          subject: place.hostPath,
          message: `${place.hostPath} is open for writing in task ${file.task}, and its file system is read-only`,
          criu_message: `Can't open file ${openedName(reg)} on restore: Read-only file system`,
          apart: inOwnDir(place),
          remedy: {
            kind: "human",
            text: "make its file system writable",
            command: sh`mount -o remount,rw "$(findmnt -nT ${place.hostPath} -o TARGET)"`,
          },
        },
      ];
    });
  },
};
