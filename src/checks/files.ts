/** Files that tasks have open, mapped, run from or stand in: CRIU opens each by its path again (files-reg.c). */
import { constants } from "node:fs";
import type { RegFileEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { putBack } from "./put-back.ts";
import { openedName, type Use, type UsedFile, usedFiles } from "./used-files.ts";

const isDirectoryUse = (file: UsedFile) =>
  file.uses.has("working directory") || file.uses.has("root directory");

/** A link itself can be open: O_PATH with O_NOFOLLOW, open(2). */
export const follows = (reg: RegFileEntry): boolean => (reg.flags & constants.O_NOFOLLOW) === 0;

export const list = (uses: Set<Use>) => [...uses].join(", ");

/** The findings about files that are gone, split by what they were for. */
function missing(context: Context, id: string, wanted: (file: UsedFile) => boolean): Finding[] {
  return usedFiles(context)
    .filter(wanted)
    .flatMap((file): Finding[] => {
      const { reg } = file;
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      if (!place.known) return [];
      const found = place.root.look(place.path, follows(reg));
      if (found.ok || isCgroup(context, place.hostPath)) return [];
      return [
        {
          id,
          severity: "blocker",
          task: file.task,
          image: file.image,
          subject: place.hostPath,
          message: `${place.hostPath} (${list(file.uses)} of task ${file.task}): ${found.problem}`,
          criu_message:
            file.fifo === undefined
              ? `Can't open file ${openedName(reg)} on restore: ${found.problem}`
              : `Can't open fake fifo 0x${file.fifo.toString(16)} [${openedName(reg)}]: ${found.problem}`,
          remedy: putBack(context, file, place, found),
        },
      ];
    });
}

/** CRIU makes cgroups before it opens files: a task may have a cgroup's directory open. */
function isCgroup({ host, request }: Context, path: string): boolean {
  if (["ignore", "none"].includes(request.manageCgroups.value)) return false;
  return host.cgroupMounts.some(({ mountpoint }) => path.startsWith(`${mountpoint}/`));
}

export const cwdMissing: Check = {
  id: "cwd-missing",
  title: "A task's working or root directory is gone",
  reads: "fs-*.img and files.img; the directory on this machine or under --root",
  why: "CRIU opens every task's working directory and root by path, and stops when one is not there.",
  proof: "criu",
  run: (context) => missing(context, "cwd-missing", isDirectoryUse),
};

export const fileMissing: Check = {
  id: "file-missing",
  title: "A file that a task has open or mapped is gone",
  reads: "files.img with fdinfo-*.img and mm-*.img; the file on this machine or under --root",
  why: "Files are not part of a checkpoint: CRIU opens each again by its path, programs and libraries too.",
  proof: "criu",
  run: (context) =>
    missing(context, "file-missing", (file) => !isDirectoryUse(file) && file.fifo === undefined),
};

export const fifoMissing: Check = {
  id: "fifo-missing",
  title: "A FIFO that a task has open is gone",
  reads: "FIFOs in files.img; the path on this machine or under --root",
  why: "What was in a FIFO is in the images, but the FIFO itself is a file like any other: CRIU opens it by its path.",
  proof: "criu",
  run: (context) => missing(context, "fifo-missing", (file) => file.fifo !== undefined),
};
